import { type ClientEvent, createClientSession, type OutgoingSlice } from "@sluice/protocol";
import { decodeControl, encodeControl, openStreamFromWire } from "@sluice/protocol/wire";
import { sliceRange } from "@sluice/tensor";
import { fromHex, messageOf } from "../vectors/plain-form.js";
import type { JsonObject } from "../vectors/vector.js";
import { type MutableOutput, noteClosed, type ScriptedSide } from "./scripted-side.js";

interface SendInput {
  readonly stream: number;
  /** Elements of one byte each, in hex. */
  readonly data: string;
  /** Slices to cut them into. */
  readonly slices: number;
}

function cut(data: Uint8Array, count: number): OutgoingSlice[] {
  return Array.from({ length: count }, (_, index) => {
    const { first, end } = sliceRange(index, count, data.length);
    return { index, count, payload: data.subarray(first, end) };
  });
}

/** A client's core and an application that sends what the script says. */
export function createScriptedClient(): ScriptedSide {
  const core = createClientSession({ agent: "vectors" }, 0);

  function handleEvent(event: ClientEvent, output: MutableOutput): void {
    if (event.type === "closed") noteClosed(output, event.code);
    if (event.type === "delivered")
      output.delivered.push({ stream: event.frame.stream, frame: event.frame.frame });
  }

  function open(body: JsonObject): void {
    const message = decodeControl(encodeControl(messageOf({ kind: "open", body })));
    if (message?.kind === "open") core.openStream(openStreamFromWire(message.body, 0));
  }

  function receive(id: number, { hex, end, reset }: JsonObject, nowMs: number): void {
    if (typeof hex === "string" && hex !== "") core.handleResultStream(id, fromHex(hex), nowMs);
    if (end === true || reset === true) core.handleResultEnd(id, end === true, nowMs);
  }

  function send({ stream, data, slices }: SendInput, nowMs: number): boolean {
    const decision = core.offer(stream, nowMs, nowMs);
    if (!decision.admitted) return false;
    const bytes = fromHex(data);
    core.submit(
      ...([stream, decision.frame, cut(bytes, slices)] as const),
      ({ index, count }) => cut(bytes, count * 2).slice(index * 2, index * 2 + 2),
      nowMs,
    );
    return true;
  }

  return {
    handleControl: core.handleControl,
    handleDatagram: core.handleDatagram,
    handleTimeout: core.handleTimeout,
    setMaxDatagramBytes: core.setMaxDatagramBytes,
    pollControl: core.pollControl,
    pollDatagram: core.pollDatagram,
    pollStream: () => core.pollStream()?.bytes,
    progress(_nowMs, output) {
      const event = core.pollEvent();
      if (event) handleEvent(event, output);
      return event !== undefined;
    },
    act(input, nowMs, output) {
      if (input.open) open(input.open as JsonObject);
      else if (input.send) output.admitted = send(input.send as unknown as SendInput, nowMs);
      else if (typeof input.closeStream === "number") core.closeStream(input.closeStream);
      else if (typeof input.stream === "number") receive(input.stream, input, nowMs);
      else throw new TypeError(`no such step: ${JSON.stringify(input)}`);
    },
  };
}
