import type { Random } from "@sluice/simnet";
import { H3_CODE, H3Error } from "#src/h3/error.js";
import { MAX_SESSIONS } from "#src/webtransport/session-table.js";
import { createRecordedConnection } from "../recorded-connection.js";
import { Draw } from "./draw.js";
import {
  GOOD_CONTROL,
  GOOD_REQUEST,
  GOOD_RESPONSE,
  type HostileStream,
  makeHostileControl,
  makeHostileDatagram,
  makeHostileStream,
} from "./hostile-streams.js";

const CODES: ReadonlySet<number> = new Set(Object.values(H3_CODE));
const MAX_STREAMS_PER_CONNECTION = 12;

export interface StreamStormResult {
  readonly streams: number;
  readonly connections: number;
  /** Connections by the error that ended them, or `none`. */
  readonly codes: Readonly<Record<string, number>>;
  /** What went otherwise than it must. */
  readonly faults: readonly string[];
}

/** Feeds `count` hostile streams to the layer itself, on connections without I/O. */
export function runStreamStorm(options: { random: Random; count: number }): StreamStormResult {
  const draw = new Draw(options.random);
  const codes: Record<string, number> = {};
  const faults: string[] = [];
  let connections = 0;
  let streams = 0;
  while (streams < options.count) {
    connections += 1;
    const { outcome, used, fault } = attackOnce(
      draw,
      Math.min(MAX_STREAMS_PER_CONNECTION, options.count - streams),
    );
    streams += used;
    codes[outcome] = (codes[outcome] ?? 0) + 1;
    if (fault !== undefined) faults.push(`connection ${connections}: ${fault}`);
  }
  return { streams, connections, codes, faults };
}

function attackOnce(
  draw: Draw,
  maxStreams: number,
): { outcome: string; used: number; fault: string | undefined } {
  // The codes that are expected are a server's; a client only has to end in one.
  const role = draw.chance(0.3) ? "client" : "server";
  const { quic, connection, sessions } = createRecordedConnection(role);
  let nowMs = 0;
  let used = 0;
  let current: HostileStream | undefined;
  /** Whether everything before `current` was good, so that its own code is what must come. */
  let isClean = true;
  const turn = () => {
    nowMs += 1;
    connection.handleReadable(nowMs);
    for (const session of sessions) {
      if (session.state === "asked" && draw.chance(0.7)) {
        session.accept();
        connection.adoptEarlyStreams(session);
      }
    }
    connection.flush(nowMs);
    connection.handleTimeout(nowMs);
  };
  try {
    const control = draw.chance(0.1) ? makeHostileControl(draw) : GOOD_CONTROL;
    isClean = control === GOOD_CONTROL && role === "server";
    quic.arrive(role === "server" ? 2 : 3, control);
    if (role === "server" && draw.chance(0.5)) quic.arrive(0, GOOD_REQUEST);
    turn();
    if (role === "client") {
      connection.openSession({ authority: "a:1", path: "/p", headers: new Map() });
      if (draw.chance(0.7)) quic.arrive(0, GOOD_RESPONSE);
      turn();
    }
    // RFC 9000 2.1
    let nextBidi = role === "server" ? 4 : 1;
    let nextUni = role === "server" ? 6 : 7;
    for (; used < maxStreams; used++) {
      current = makeHostileStream(draw);
      const isAnswer = role === "client" && draw.chance(0.3);
      const id = isAnswer ? 0 : current.isBidirectional ? nextBidi : nextUni;
      if (current.isBidirectional) nextBidi += 4;
      else nextUni += 4;
      const pieces = draw.pieces(current.bytes, 4);
      pieces.forEach((piece, i) => {
        quic.arrive(id, piece, current?.fin === true && i === pieces.length - 1);
        turn();
      });
      if (draw.chance(0.1)) quic.arriveReset(id, draw.below(2 ** 31));
      if (draw.chance(0.05)) {
        isClean = false;
        quic.datagrams.push(makeHostileDatagram(draw));
      }
      turn();
      const { code, name } = current;
      if (code !== undefined && isClean) {
        // Requests above the limit are not looked at; the others must have ended the connection.
        if (connection.sessions.size < MAX_SESSIONS)
          return { outcome: "none", used: used + 1, fault: `${name} was let through` };
      }
      if (connection.sessions.size > MAX_SESSIONS)
        return { outcome: "none", used, fault: "too many sessions" };
    }
    return { outcome: "none", used, fault: undefined };
  } catch (error) {
    if (!(error instanceof H3Error)) {
      return {
        outcome: "crash",
        used: used + 1,
        fault: `${current?.name}: ${error instanceof Error ? error.stack : error}`,
      };
    }
    const outcome = `0x${error.code.toString(16)}`;
    const expected = current?.code;
    let fault: string | undefined;
    if (!CODES.has(error.code) || error.scope !== "connection")
      fault = `${current?.name}: ${outcome} is no connection error`;
    else if (isClean && expected !== undefined && expected !== error.code) {
      fault = `${current?.name}: ${outcome} instead of 0x${expected.toString(16)} (${error.message})`;
    }
    return { outcome, used: used + 1, fault };
  }
}
