/** Names of traces and spans that both ends derive without a word about them on the wire. */
import { createHash } from "node:crypto";
import type { Stage, TraceSide } from "./frame-trace.js";

function digest(text: string, bytes: number): string {
  return createHash("sha256")
    .update(text)
    .digest("hex")
    .slice(0, 2 * bytes);
}

/** 16 bytes in hexadecimal, for one frame of one session. */
export function traceIdOf(session: string, stream: number, frame: number): string {
  return digest(`sluice trace/${session}/${stream}/${frame}`, 16);
}

/** 8 bytes in hexadecimal: of one side's whole frame, or of a stage; `place` tells two of one stage apart. */
export function spanIdOf(traceId: string, side: TraceSide, stage: Stage | "frame", place = 0): string {
  return digest(`${traceId}/${side}/${stage}/${place}`, 8);
}

/** How a client's agent names its session: a server that reads it writes traces of the same names. */
const agentForm = / trace\/([0-9A-Za-z]{1,32})$/;

/** What stands behind the agent of a client whose session has this name. */
export function agentSuffixOf(session: string): string {
  return ` trace/${session}`;
}

/** The session's name in what the client calls itself; `undefined`: it has none. */
export function sessionOfAgent(agent: string): string | undefined {
  return agentForm.exec(agent)?.[1];
}
