/**
 * Brings lost datagrams back from repair symbols (spec 5.8). It keeps the last datagrams of the session that held slices
 * of streams with forward error correction, and the symbols of groups of which too much is missing; both are bounded,
 * and the oldest go first.
 */
import { decodeDatagram, type ReceivedSlice } from "../datagram.js";
import { ErrorCode, ProtocolError } from "../error-code.js";
import { maxFecBytes, maxFecGroups, maxFecRows, maxHeldDatagrams, maxRepairDistance } from "../limits.js";
import type { SliceHeader } from "../slice-header.js";
import type { ErasureCode } from "./erasure-code.js";
import type { FecOptions } from "./fec-options.js";
import { decodeRepairPayload, decodeSourceSymbol, encodeSourceSymbol } from "./repair-payload.js";

/** A datagram that was lost and is back. */
export interface RecoveredDatagram {
  readonly sequence: number;
  readonly bytes: Uint8Array;
  readonly slices: readonly ReceivedSlice[];
}

/**
 * What became of a repair symbol; `unneeded`: nothing of its group is missing any more; `late`: what it protects is
 * forgotten; `refused`: it contradicts another one of its group, or what came of it is no datagram of the group.
 */
export type RepairReceipt = "taken" | "duplicate" | "unneeded" | "late" | "refused";

export interface FecReceiver {
  /** A datagram came with slices of a stream that is protected; returns what can be recovered with it. */
  hold(sequence: number, datagram: Uint8Array): RecoveredDatagram[];
  /**
   * A repair symbol came in the datagram `sequence`.
   * @throws ProtocolError malformedDatagram where no symbol can be like this
   */
  repair(
    header: SliceHeader,
    payload: Uint8Array,
    sequence: number,
    options: FecOptions,
  ): { readonly receipt: RepairReceipt; readonly recovered: RecoveredDatagram[] };
  /** Forgets all datagrams below a sequence number, and the groups that want one of them. */
  forgetBelow(sequence: number): void;
  clear(): void;
  /** Datagrams and symbols that are held, and their bytes. */
  readonly datagrams: number;
  readonly symbols: number;
  readonly bytes: number;
  readonly datagramsRecovered: number;
}

interface Group {
  readonly stream: number;
  readonly first: number;
  readonly offsets: readonly number[];
  readonly frame: number;
  readonly symbolBytes: number;
  readonly symbols: Map<number, Uint8Array>;
}

export function createFecReceiver(code: ErasureCode): FecReceiver {
  const held = new Map<number, Uint8Array>();
  // In the order of their first symbols.
  const groups = new Map<string, Group>();
  /** Datagrams before this one are forgotten. */
  let floor = 0;
  let highest = -1;
  let heldBytes = 0;
  let symbolBytes = 0;
  let symbolCount = 0;
  let datagramsRecovered = 0;

  function forgetGroup(key: string, group: Group): void {
    groups.delete(key);
    symbolCount -= group.symbols.size;
    symbolBytes -= group.symbols.size * group.symbolBytes;
  }

  function raiseFloor(to: number): void {
    if (to <= floor) return;
    // A jump is as cheap as a step.
    if (to - floor > held.size) for (const sequence of [...held.keys()]) release(to, sequence);
    else for (let sequence = floor; sequence < to; sequence++) release(to, sequence);
    floor = to;
    for (const [key, group] of groups) if (group.first < floor) forgetGroup(key, group);
  }

  function release(bound: number, sequence: number): void {
    const datagram = sequence < bound ? held.get(sequence) : undefined;
    if (!datagram) return;
    held.delete(sequence);
    heldBytes -= datagram.length;
  }

  function keep(sequence: number, datagram: Uint8Array): void {
    held.set(sequence, datagram);
    heldBytes += datagram.length;
    highest = Math.max(highest, sequence);
    raiseFloor(highest - maxHeldDatagrams + 1);
  }

  /** spec 9 */
  function enforceBounds(): void {
    for (const [key, group] of groups) {
      if (groups.size <= maxFecGroups && heldBytes + symbolBytes <= maxFecBytes) break;
      forgetGroup(key, group);
    }
    while (heldBytes > maxFecBytes) raiseFloor(floor + 1);
  }

  /** Decodes a group as soon as that is possible: the datagrams, or undefined where its symbols lie. */
  function solve(group: Group): RecoveredDatagram[] | undefined {
    const { first, offsets, symbols } = group;
    const sources = offsets.map((offset) => held.get(first + offset));
    const missing = offsets.filter((_, i) => sources[i] === undefined);
    if (missing.length > symbols.size) return [];
    if (sources.some((datagram) => datagram && datagram.length + 2 > group.symbolBytes)) return undefined;
    const found = code.recover(
      sources.map((datagram) => datagram && encodeSourceSymbol(datagram)),
      [...symbols].slice(0, missing.length).map(([row, symbol]) => ({ row, symbol })),
      group.symbolBytes,
    );
    const recovered: RecoveredDatagram[] = [];
    for (const [i, offset] of missing.entries()) {
      const bytes = decodeSourceSymbol(found[i]!);
      const slices = bytes && slicesOf(bytes, first + offset, group.stream);
      if (!slices) return undefined;
      recovered.push({ sequence: first + offset, bytes, slices });
    }
    for (const { sequence, bytes } of recovered) keep(sequence, bytes);
    datagramsRecovered += recovered.length;
    return recovered;
  }

  /** Looks at all groups until nothing more comes of it: what one gives back may be what another one lacks. */
  function solveGroups(changed: readonly number[]): RecoveredDatagram[] {
    const recovered: RecoveredDatagram[] = [];
    const queue = [...changed];
    for (let sequence = queue.pop(); sequence !== undefined; sequence = queue.pop()) {
      for (const [key, group] of groups) {
        if (!group.offsets.includes(sequence - group.first)) continue;
        const found = solve(group);
        if (found === undefined || found.length > 0 || isWhole(group)) forgetGroup(key, group);
        for (const datagram of found ?? []) {
          recovered.push(datagram);
          queue.push(datagram.sequence);
        }
      }
    }
    return recovered;
  }

  function isWhole({ first, offsets }: Group): boolean {
    return offsets.every((offset) => held.has(first + offset));
  }

  return {
    hold(sequence, datagram) {
      if (sequence < floor || held.has(sequence)) return [];
      keep(sequence, datagram);
      const recovered = solveGroups([sequence]);
      enforceBounds();
      return recovered;
    },

    repair(header, payload, sequence, options) {
      const { offsets, parity } = decodeRepairPayload(payload);
      const { stream, frame, index, repair: distance = 0 } = header;
      const first = sequence - distance;
      // spec 5.8: a symbol protects what was sent before it, and not long before.
      if (distance > maxRepairDistance || first < 0 || first + offsets.at(-1)! >= sequence) {
        throw new ProtocolError(
          ErrorCode.malformedDatagram,
          `repair symbol: datagram ${sequence} cannot protect ${offsets.length} from ${first} on`,
        );
      }
      highest = Math.max(highest, sequence);
      raiseFloor(highest - maxHeldDatagrams + 1);
      if (first < floor) return { receipt: "late", recovered: [] };
      if (offsets.every((offset) => held.has(first + offset))) return { receipt: "unneeded", recovered: [] };
      const key = `${first}/${offsets.join(",")}`;
      const group = groups.get(key) ?? {
        ...{ stream, first, offsets, frame, symbolBytes: parity.length, symbols: new Map() },
      };
      if (group.stream !== stream || group.frame !== frame || group.symbolBytes !== parity.length)
        return { receipt: "refused", recovered: [] };
      // spec 5.8: symbols of a frame are numbered over its groups; one of XOR is the first row of the code.
      const row = options.code === "xor" ? 0 : index % maxFecRows;
      if (group.symbols.has(row)) return { receipt: "duplicate", recovered: [] };
      groups.set(key, group);
      group.symbols.set(row, parity);
      symbolCount++;
      symbolBytes += parity.length;
      const found = solve(group);
      if (found === undefined || found.length > 0) forgetGroup(key, group);
      const recovered = [...(found ?? []), ...solveGroups((found ?? []).map((each) => each.sequence))];
      enforceBounds();
      return { receipt: found === undefined ? "refused" : "taken", recovered };
    },

    forgetBelow: raiseFloor,

    clear() {
      held.clear();
      groups.clear();
      heldBytes = 0;
      symbolBytes = 0;
      symbolCount = 0;
    },

    get datagrams() {
      return held.size;
    },
    get symbols() {
      return symbolCount;
    },
    get bytes() {
      return heldBytes + symbolBytes;
    },
    get datagramsRecovered() {
      return datagramsRecovered;
    },
  };
}

/** The slices of a recovered datagram; `undefined` where it is not the one that was missing. */
function slicesOf(datagram: Uint8Array, sequence: number, stream: number): ReceivedSlice[] | undefined {
  try {
    const { slices } = decodeDatagram(datagram);
    const units = slices.filter(({ header }) => header.repair === undefined);
    if (slices[0]?.header.sequence !== sequence || !units.some(({ header }) => header.stream === stream))
      return undefined;
    return units;
  } catch (error) {
    if (!(error instanceof ProtocolError)) throw error;
    return undefined;
  }
}
