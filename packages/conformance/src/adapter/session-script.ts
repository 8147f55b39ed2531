/** Runs a script of one side of a session on virtual time: what comes in, step by step, and what goes out. */
import { fromHex, toHex } from "../vectors/plain-form.js";
import type { JsonObject } from "../vectors/vector.js";
import { createScriptedClient } from "./scripted-client.js";
import { createScriptedServer } from "./scripted-server.js";
import type { MutableOutput, ScriptedSide, ScriptOptions } from "./scripted-side.js";

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
