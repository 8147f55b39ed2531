/** Runs a script of one side of a session on virtual time: what comes in, step by step, and what goes out. */
import { errorCodeName } from "@sluice/protocol";
import { fromHex, toHex } from "../vectors/plain-form.js";
import type { JsonObject } from "../vectors/vector.js";
import { createScriptedClient } from "./scripted-client.js";
import { createScriptedServer } from "./scripted-server.js";

export interface ScriptOptions {
  /** As in the message `Limits`; what is absent is as in section 9 of the specification. */
  readonly limits?: JsonObject;
  /** The only token that is accepted, in hex. */
  readonly token?: string;
  readonly acceptAfterMs?: number;
  readonly answerAfterMs?: number;
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

interface Script {
  readonly role: "client" | "server";
  readonly options: ScriptOptions;
  readonly steps: readonly { readonly at: number; readonly input?: JsonObject }[];
}

const datagramBytes = 1_200;

export function runSessionScript({ role, options, steps }: Script): { steps: MutableOutput[] } {
  const side = role === "client" ? createScriptedClient() : createScriptedServer(options);
  side.setMaxDatagramBytes(datagramBytes);
  let closed: string | null = null;
  let nowMs = 0;
  const outputs = steps.map(({ at, input }) => {
    const output: MutableOutput = { control: "", datagrams: [], streams: [], closed, delivered: [] };
    for (; nowMs < at; nowMs++) {
      side.handleTimeout(nowMs);
      pump(side, nowMs, output);
    }
    side.handleTimeout(nowMs);
    if (input) apply(side, input, nowMs, output);
    pump(side, nowMs, output);
    closed = output.closed;
    return output;
  });
  return { steps: outputs };
}

function apply(side: ScriptedSide, input: JsonObject, nowMs: number, output: MutableOutput): void {
  if (typeof input.control === "string") side.handleControl(fromHex(input.control), nowMs);
  else if (typeof input.datagram === "string") side.handleDatagram(fromHex(input.datagram), nowMs);
  else if (typeof input.maxDatagramBytes === "number") side.setMaxDatagramBytes(input.maxDatagramBytes);
  else side.act(input, nowMs, output);
}

function pump(side: ScriptedSide, nowMs: number, output: MutableOutput): void {
  do {
    for (let bytes = side.pollControl(); bytes; bytes = side.pollControl()) output.control += toHex(bytes);
    for (let bytes = side.pollDatagram(nowMs); bytes; bytes = side.pollDatagram(nowMs))
      output.datagrams.push(toHex(bytes));
    for (let bytes = side.pollStream(); bytes; bytes = side.pollStream()) output.streams.push(toHex(bytes));
  } while (side.progress(nowMs, output));
}

/** Notes an end in the first step that sees it. */
export function noteClosed(output: MutableOutput, code: number): void {
  output.closed ??= errorCodeName(code);
}
