/** What a script needs of one side of a session: its core, with an application around it. */
import { errorCodeName } from "@sluice/protocol";
import type { JsonObject } from "../vectors/vector.js";

export interface ScriptOptions {
  /** As in the message `Limits`; what is absent is as in section 9 of the specification. */
  readonly limits?: JsonObject;
  /** The only token that is accepted, in hex. */
  readonly token?: string;
  readonly acceptAfterMs?: number;
  readonly answerAfterMs?: number;
  /** Bytes of the payload of every answer; default: that of `true`. */
  readonly answerBytes?: number;
}

/** What both sides' cores and the applications around them have in common here. */
export interface ScriptedSide {
  handleControl(chunk: Uint8Array, nowMs: number): void;
  handleDatagram(datagram: Uint8Array, nowMs: number): void;
  handleTimeout(nowMs: number): void;
  setMaxDatagramBytes(bytes: number): void;
  pollControl(): Uint8Array | undefined;
  pollDatagram(nowMs: number): Uint8Array | undefined;
  pollStream(): Uint8Array | undefined;
  /** Does what the application does with what has happened, and tells of it; false where nothing has. */
  progress(nowMs: number, output: MutableOutput): boolean;
  /** An input that only one of the sides knows. */
  act(input: JsonObject, nowMs: number, output: MutableOutput): void;
}

export interface MutableOutput {
  control: string;
  readonly datagrams: string[];
  readonly streams: string[];
  closed: string | null;
  admitted?: boolean;
  readonly delivered: { readonly stream: number; readonly frame: number }[];
}

/** Notes an end in the first step that sees it. */
export function noteClosed(output: MutableOutput, code: number): void {
  output.closed ??= errorCodeName(code);
}
