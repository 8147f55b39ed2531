// A client that speaks QUIC as it should and HTTP/3 as it should not: commands `attack`, `negotiate` and `reuse`.
import { createRandom } from "@sluice/simnet";
import { Draw } from "./draw.js";
import {
  GOOD_CONTROL,
  GOOD_REQUEST,
  makeHostileControl,
  makeHostileDatagram,
  makeHostileStream,
} from "./hostile-streams.js";
import { RawQuic } from "./raw-quic.js";
import { faults, serveCommands } from "./serve-commands.js";

export interface AttackResult {
  readonly streams: number;
  readonly connections: number;
  /** Connections by the code with which the server closed them, or `none`. */
  readonly codes: Readonly<Record<string, number>>;
  readonly faults: readonly string[];
}

const STREAMS_PER_CONNECTION = 12;

async function attackOnce(
  draw: Draw,
  port: number,
  maxStreams: number,
): Promise<{ used: number; code: number | undefined }> {
  const raw = await RawQuic.open(port);
  if (raw.isOver) throw new Error(`no connection: ${raw.closeCode}`);
  raw.streams.send(2, draw.chance(0.1) ? makeHostileControl(draw) : GOOD_CONTROL, false);
  if (draw.chance(0.5)) raw.streams.send(0, GOOD_REQUEST, false);
  let nextBidi = 4;
  let nextUni = 6;
  let used = 0;
  while (used < maxStreams && !raw.isOver) {
    // Some at once, as in one flight.
    for (let i = 1 + draw.below(3); i > 0 && used < maxStreams; i--, used++) {
      const stream = makeHostileStream(draw);
      const id = stream.isBidirectional ? nextBidi : nextUni;
      if (stream.isBidirectional) nextBidi += 4;
      else nextUni += 4;
      raw.streams.send(id, stream.bytes, stream.fin);
      if (draw.chance(0.1)) raw.streams.resetSend(id, draw.below(2 ** 31));
      if (draw.chance(0.1)) raw.streams.stopReceive(id, draw.below(2 ** 31));
      if (draw.chance(0.05)) raw.streams.sendDatagram(makeHostileDatagram(draw));
      if (draw.chance(0.01)) raw.streams.stopReceive(3, 0);
    }
    await raw.settle();
  }
  const code = raw.closeCode;
  await raw.close();
  return { used, code };
}

let kept: RawQuic | undefined;

serveCommands({
  /** The server's close of a connection for another protocol: a code, or `undefined` where it goes on. */
  async negotiate({ port, protocol }: { port: number; protocol: string }): Promise<number | undefined> {
    const raw = await RawQuic.open(port, protocol);
    if (!raw.isOver) await raw.settle();
    const code = raw.closeCode;
    await raw.close();
    return code;
  },
  /** Opens `count` sessions on one connection one after another, and ends all but the first. The connection stays. */
  async reuse({ port, count }: { port: number; count: number }): Promise<void> {
    kept = await RawQuic.open(port);
    kept.streams.send(2, GOOD_CONTROL, false);
    kept.streams.send(0, GOOD_REQUEST, false);
    for (let i = 1; i < count; i++) {
      kept.streams.send(4 * i, GOOD_REQUEST, true);
      await kept.settle();
    }
  },
  async attack({ seed, port, count }: { seed: string; port: number; count: number }): Promise<AttackResult> {
    const draw = new Draw(createRandom(seed));
    const codes: Record<string, number> = {};
    let streams = 0;
    let connections = 0;
    while (streams < count) {
      const { used, code } = await attackOnce(draw, port, Math.min(STREAMS_PER_CONNECTION, count - streams));
      streams += used;
      connections += 1;
      const name = code === undefined ? "none" : `0x${code.toString(16)}`;
      codes[name] = (codes[name] ?? 0) + 1;
    }
    return { streams, connections, codes, faults };
  },
});
