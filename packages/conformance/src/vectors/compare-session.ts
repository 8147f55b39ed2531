import {
  type ControlMessage,
  createControlDecoder,
  createResultDecoder,
  createTensorDecoder,
  decodeDatagram,
  maxAcknowledgedFrames,
  type ReceivedSlice,
} from "@sluice/protocol/wire";
import { includes, shorten } from "./compare.js";
import { fromHex, plainMessage, toHex } from "./plain-form.js";
import type { Json, JsonObject, StepExpectation, Vector } from "./vector.js";

/** What an implementation reports of a step. */
interface StepOutput {
  /** Bytes for the control stream since the step before, in hex. */
  readonly control?: string;
  readonly datagrams?: readonly string[];
  /** Streams for single tensors, and those for single results, each with all its bytes. */
  readonly streams?: readonly string[];
  /** Name of the code with which it has closed the session; null while it is open. */
  readonly closed?: string | null;
  readonly admitted?: boolean;
  readonly delivered?: readonly { readonly stream: number; readonly frame: number }[];
}

/** Bytes of the largest datagram that a script allows unless it says otherwise. */
export const scriptDatagramBytes = 1_200;

/** Whether the outputs of a session's steps are what a vector asks for. `undefined`: they are. */
export function compareSession(vector: Vector, output: Json): string | undefined {
  const expectations = vector.expect ?? [];
  const steps = (output as { steps?: readonly StepOutput[] } | null)?.steps;
  if (!Array.isArray(steps) || steps.length !== expectations.length) {
    return `expected { steps } with ${expectations.length} entries, got ${shorten(output)}`;
  }
  const { role, steps: inputs } = vector.input as unknown as {
    role: "client" | "server";
    steps: readonly { at: number; input?: JsonObject }[];
  };
  const control = createControlDecoder();
  const history: SentInStep[] = [];
  let maxBytes = scriptDatagramBytes;
  /** Since the last step that asked for some: a client may gather them, and need not (spec 7.1). */
  let acks: ControlMessage[] = [];
  for (const [i, expectation] of expectations.entries()) {
    const { at, input } = inputs[i]!;
    if (typeof input?.maxDatagramBytes === "number") maxBytes = input.maxDatagramBytes;
    try {
      const sent = readStep(control, steps[i]!, maxBytes, role);
      history.push({ step: i, slices: sent.slices, messages: sent.messages.map(plainMessage) });
      acks.push(...sent.messages);
      const fault =
        judge(expectation, steps[i]!, sent.slices, history) ??
        judgeResults(expectation, sent.results) ??
        judgeAcks(expectation, acks);
      if (expectation.acks) acks = [];
      if (fault !== undefined) return `step ${i} at ${at} ms: ${fault}`;
    } catch (error) {
      return `step ${i} at ${at} ms: what it sent cannot be read: ${(error as Error).message}`;
    }
  }
  return undefined;
}

interface SentInStep {
  readonly step: number;
  readonly slices: readonly SentSlice[];
  readonly messages: readonly ReturnType<typeof plainMessage>[];
}

interface SentSlice extends ReceivedSlice {
  readonly onStream: boolean;
}

function readStep(
  decode: (chunk: Uint8Array) => ControlMessage[],
  step: StepOutput,
  maxBytes: number,
  role: "client" | "server",
) {
  const messages = decode(fromHex(step.control ?? ""));
  const slices: SentSlice[] = [];
  for (const hex of step.datagrams ?? []) {
    const bytes = fromHex(hex);
    // spec 3.5
    if (bytes.length > maxBytes)
      throw new RangeError(`a datagram of ${bytes.length} bytes, at most ${maxBytes}`);
    const datagram = decodeDatagram(bytes);
    messages.push(...datagram.controls);
    for (const [i, slice] of datagram.slices.entries()) {
      // spec 5.3
      if ((slice.header.sequence !== undefined) !== (i === 0))
        throw new RangeError(`slice ${i} of a datagram has the sequence ${slice.header.sequence}`);
      slices.push({ ...slice, onStream: false });
    }
  }
  const streams = step.streams ?? [];
  const results = role === "server" ? streams.map(readResult) : [];
  for (const hex of role === "client" ? streams : []) {
    const found = createTensorDecoder(Number.MAX_SAFE_INTEGER).decode(fromHex(hex));
    // spec 5.1
    if (new Set(found.map(({ header }) => `${header.stream}/${header.frame}`)).size > 1)
      throw new RangeError("a tensor's stream with slices of several frames");
    if (found.some(({ header }) => header.sequence !== undefined))
      throw new RangeError("a tensor's stream with a sequence");
    for (const slice of found) slices.push({ ...slice, onStream: true });
  }
  return { messages, slices, results };
}

/** A result's stream: the frame, and the bytes of the payload. */
function readResult(hex: string) {
  const decoder = createResultDecoder(() => {});
  decoder.decode(fromHex(hex));
  const { stream, frame, payload } = decoder.finish();
  return { stream, frame, bytes: payload.length };
}

function judgeResults(
  { results }: StepExpectation,
  sent: readonly { stream: number; frame: number; bytes: number }[],
): string | undefined {
  if (!results || shorten([...results]) === shorten([...sent])) return undefined;
  return `expected streams with results ${shorten([...results])}, got ${shorten([...sent])}`;
}

function judge(
  expectation: StepExpectation,
  step: StepOutput,
  slices: readonly SentSlice[],
  history: readonly SentInStep[],
): string | undefined {
  const closed = step.closed ?? undefined;
  if (closed !== expectation.closed)
    return `expected ${expectation.closed ? `a close with ${expectation.closed}` : "an open session"}, it is ${closed ? `closed with ${closed}` : "open"}`;
  const plain = history.at(-1)!.messages;
  for (const { kind, body, since = history.length - 1 } of expectation.says ?? []) {
    const said = history.slice(since).flatMap(({ messages }) => messages);
    if (!said.some((message) => message.kind === kind && includes(message.body, body)))
      return `expected ${shorten({ kind, body })} among ${shorten(said)}`;
  }
  for (const kind of expectation.silent ?? []) {
    if (plain.some((message) => message.kind === kind)) return `expected no ${kind}, got ${shorten(plain)}`;
  }
  if (expectation.admitted !== undefined && step.admitted !== expectation.admitted)
    return `expected the frame to be ${expectation.admitted ? "taken" : "turned away"}`;
  if (expectation.noSlices && slices.length > 0) return `expected no slices, got ${slices.length}`;
  for (const wanted of expectation.sent ?? []) {
    const since = wanted.since ?? history.length - 1;
    const own = history
      .filter(({ step }) => step >= since)
      .flatMap((entry) => entry.slices)
      .filter(({ header }) => header.stream === wanted.stream && header.frame === wanted.frame);
    if (own.some(({ onStream }) => onStream !== (wanted.onStream ?? false)))
      return `frame ${wanted.frame} went the wrong way`;
    const data = assemble(own, wanted.data.length / 2);
    if (data !== wanted.data)
      return `expected frame ${wanted.frame} to bring ${wanted.data}, it brought ${data}`;
  }
  if (expectation.delivered && shorten([...(step.delivered ?? [])]) !== shorten([...expectation.delivered]))
    return `expected results of ${shorten([...expectation.delivered])}, got ${shorten([...(step.delivered ?? [])])}`;
  return undefined;
}

/** The bytes that slices of `raw` bring, `..` where none did. */
function assemble(slices: readonly ReceivedSlice[], units: number): string {
  const cells: string[] = Array.from({ length: units }, () => "..");
  for (const { header, payload } of slices) {
    const first = Math.floor((header.index * units) / header.count);
    for (const [i, byte] of payload.entries()) cells[first + i] = toHex(Uint8Array.of(byte));
  }
  return cells.join("");
}

function judgeAcks({ acks = [] }: StepExpectation, messages: readonly ControlMessage[]): string | undefined {
  const named = new Map<number, Set<number>>();
  for (const message of messages) {
    if (message.kind !== "resultAck") continue;
    const { stream, frames } = message.body;
    // spec 9
    if (frames.length > maxAcknowledgedFrames) return `an acknowledgement of ${frames.length} frames`;
    const set = named.get(stream) ?? new Set();
    for (const frame of frames) set.add(frame);
    named.set(stream, set);
  }
  for (const { stream, frames } of acks) {
    const lacking = frames.filter((frame) => !named.get(stream)?.has(frame));
    if (lacking.length > 0)
      return `frames ${lacking.slice(0, 10).join(", ")} of stream ${stream} were not acknowledged (${lacking.length} in all)`;
  }
  return undefined;
}
