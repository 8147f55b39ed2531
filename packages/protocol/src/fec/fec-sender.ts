/**
 * Makes the repair symbols of a session's streams (spec 5.8): collects datagrams as they leave, and once a frame has
 * left wholly, plans the parity of its group by how the path loses.
 */
import { maxFecRows } from "../limits.js";
import type { OutgoingFrame, OutgoingSlice } from "../send-buffer.js";
import type { ErasureCode } from "./erasure-code.js";
import type { FecOptions } from "./fec-options.js";
import { createLossModel, type LossModel, type PathLoss } from "./loss-model.js";
import { type ParityGroup, planParity } from "./parity-plan.js";
import { encodeRepairPayload, encodeSourceSymbol, symbolLengthBytes } from "./repair-payload.js";

export interface FecSender {
  open(stream: number, options: FecOptions): void;
  close(stream: number): void;
  protects(stream: number): boolean;
  /** A datagram has left that holds these slices; those of streams without FEC are passed over. */
  sent(sequence: number, datagram: Uint8Array, slices: readonly SentSlice[]): void;
  /** All slices of a frame have left: the symbols of its group, as a frame; `undefined` where there are none (yet). */
  end(frame: OutgoingFrame, need: ParityNeed, loss: PathLoss, nowMs: number): OutgoingFrame | undefined;
  /** A frame was given up. */
  forget(stream: number, frame: number): void;
  /** The symbols of a group that has waited for another frame for as long as it may. */
  poll(loss: PathLoss, nowMs: number): OutgoingFrame | undefined;
  /** When {@link poll} has something to do; Infinity where no group waits. */
  nextTimeoutMs(): number;
}

export interface SentSlice {
  readonly frame: OutgoingFrame;
  readonly slice: OutgoingSlice;
}

/** What a frame needs of its parity. */
export interface ParityNeed {
  /** `false` where what is lost of the frame can be sent again in time (spec 5.9). */
  readonly isWanted: boolean;
  /** When its symbols must leave at the latest, so that it may wait for the next frames. */
  readonly latestMs: number;
}

/** Bytes of the map in a symbol that this sender makes: groups that would need a longer one are cut. */
const maxMaskBytes = 16;

/**
 * Bytes that a datagram with slices of a protected stream leaves free, so that a symbol over it fits one too: an item's
 * header of 23 bytes, enough for frames below 2^21 and datagrams below 2^28, the map behind its length, and the length
 * of the datagram.
 */
export const fecReserveBytes = 23 + 1 + maxMaskBytes + symbolLengthBytes;

/** Datagrams that one frame or span of frames has protected; what it has beyond them goes without. */
const maxProtected = 1_024;
/** Estimates of loss are rounded to steps of a fifth: a new model is needed only when they have changed. */
const stepsPerE = 5;

interface Source {
  readonly sequence: number;
  readonly frame: number;
  readonly symbol: Uint8Array;
  readonly importance: number;
}

interface StreamState {
  readonly options: FecOptions;
  sources: Source[];
  /** Frames that have left wholly into the group, the newest last. */
  frames: OutgoingFrame[];
  latestMs: number;
  /** Bytes of symbols that were allowed and not sent: less than one symbol. */
  creditBytes: number;
  endedMs: number | undefined;
  /** Smoothed time between the ends of frames. */
  intervalMs: number | undefined;
}

export function createFecSender(code: ErasureCode): FecSender {
  const streams = new Map<number, StreamState>();
  let model: { readonly key: string; readonly loss: LossModel } | undefined;

  function modelOf({ share, meanRun }: PathLoss): LossModel {
    const round = (value: number) => Math.exp(Math.round(Math.log(value) * stepsPerE) / stepsPerE);
    const rounded = { share: share > 0 ? round(share) : 0, meanRun: round(meanRun) };
    const key = `${rounded.share}/${rounded.meanRun}`;
    if (model?.key !== key) model = { key, loss: createLossModel(rounded) };
    return model.loss;
  }

  function startOver(state: StreamState): void {
    state.sources = [];
    state.frames = [];
    state.latestMs = Number.POSITIVE_INFINITY;
  }

  function close(state: StreamState, loss: PathLoss): OutgoingFrame | undefined {
    const { options, sources, frames } = state;
    const newest = frames.at(-1);
    startOver(state);
    if (!newest || sources.length === 0) return undefined;
    const symbolBytes = sources.reduce((most, { symbol }) => Math.max(most, symbol.length), 0);
    const sourceBytes = sources.reduce((sum, { symbol }) => sum + symbol.length, 0);
    const allowedBytes = state.creditBytes + (options.maxPercent / 100) * sourceBytes;
    const groups = planParity({
      importances: sources.map(({ importance }) => importance),
      maxSymbols: Math.floor(allowedBytes / symbolBytes),
      ...{ loss: modelOf(loss), isXor: options.code === "xor" },
    }).flatMap((group) => fitMap(group, sources));
    const slices = makeSymbols(code, groups, sources, options.code === "xor");
    state.creditBytes = Math.min(symbolBytes, allowedBytes - slices.length * symbolBytes);
    return slices.length > 0 ? { ...newest, slices, split: undefined, reserveBytes: 0 } : undefined;
  }

  return {
    open(stream, options) {
      const state = { options, creditBytes: 0, endedMs: undefined, intervalMs: undefined };
      streams.set(stream, { ...state, sources: [], frames: [], latestMs: Number.POSITIVE_INFINITY });
    },
    close: (stream) => void streams.delete(stream),
    protects: (stream) => streams.has(stream),

    sent(sequence, datagram, slices) {
      const symbol = encodeSourceSymbol(datagram);
      for (const [stream, { sources }] of streams) {
        const own = slices.filter(({ frame }) => frame.stream === stream);
        if (own.length === 0 || sources.length >= maxProtected) continue;
        const importance = own.reduce((sum, { slice }) => sum + (slice.importance ?? 1), 0);
        sources.push({ sequence, symbol, importance, frame: own[0]!.frame.frame });
      }
    },

    end(frame, { isWanted, latestMs }, loss, nowMs) {
      const state = streams.get(frame.stream);
      if (!state) return undefined;
      if (state.endedMs !== undefined) {
        const intervalMs = nowMs - state.endedMs;
        state.intervalMs = state.intervalMs === undefined ? intervalMs : smooth(state.intervalMs, intervalMs);
      }
      state.endedMs = nowMs;
      if (!isWanted || loss.share === 0) {
        startOver(state);
        return undefined;
      }
      state.frames.push(frame);
      state.latestMs = Math.min(state.latestMs, latestMs);
      const mayGrow = state.frames.length < state.options.span && state.intervalMs !== undefined;
      if (mayGrow && nowMs + state.intervalMs! <= state.latestMs) return undefined;
      return close(state, loss);
    },

    forget(stream, frame) {
      const state = streams.get(stream);
      if (!state) return;
      state.sources = state.sources.filter((source) => source.frame !== frame);
      state.frames = state.frames.filter((each) => each.frame !== frame);
    },

    poll(loss, nowMs) {
      for (const state of streams.values()) {
        const parity = state.frames.length > 0 && state.latestMs <= nowMs ? close(state, loss) : undefined;
        if (parity) return parity;
      }
      return undefined;
    },

    nextTimeoutMs() {
      let next = Number.POSITIVE_INFINITY;
      for (const { frames, latestMs } of streams.values())
        if (frames.length > 0) next = Math.min(next, latestMs);
      return next;
    },
  };
}

function makeSymbols(
  code: ErasureCode,
  groups: readonly ParityGroup[],
  sources: readonly Source[],
  isXor: boolean,
): OutgoingSlice[] {
  const count = groups.reduce((sum, { symbols }) => sum + symbols, 0);
  const made: OutgoingSlice[] = [];
  for (const { members, symbols } of groups) {
    const own = members.map((place) => sources[place]!);
    const firstSequence = own[0]!.sequence;
    const symbolBytes = own.reduce((most, { symbol }) => Math.max(most, symbol.length), 0);
    const rows = Array.from({ length: symbols }, (_, i) => (isXor ? 0 : (made.length + i) % maxFecRows));
    const parities = code.encode(
      own.map(({ symbol }) => symbol),
      rows,
      symbolBytes,
    );
    const offsets = own.map(({ sequence }) => sequence - firstSequence);
    for (const parity of parities) {
      const payload = encodeRepairPayload({ offsets, parity });
      made.push({ index: made.length, count, payload, protectsFrom: firstSequence });
    }
  }
  return made;
}

/** Cuts a group in two until the map of each part has room for it, as other streams may have sent between. */
function fitMap(group: ParityGroup, sources: readonly Source[]): ParityGroup[] {
  const { members, symbols } = group;
  const span = sources[members.at(-1)!]!.sequence - sources[members[0]!]!.sequence;
  if (span < 8 * maxMaskBytes || members.length === 1) return [group];
  const half = members.length >> 1;
  const parts = [
    { members: members.slice(0, half), symbols: symbols >> 1 },
    { members: members.slice(half), symbols: symbols - (symbols >> 1) },
  ];
  return parts.filter((part) => part.symbols > 0).flatMap((part) => fitMap(part, sources));
}

function smooth(previous: number, sample: number): number {
  return previous + (sample - previous) / 8;
}
