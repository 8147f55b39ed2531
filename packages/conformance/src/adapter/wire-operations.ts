import { ErrorCode, ProtocolError } from "@sluice/protocol";
import {
  type ControlMessage,
  createControlDecoder,
  createFecReceiver,
  createReceiverReport,
  createResultDecoder,
  createTensorDecoder,
  decodeControl,
  decodeDatagram,
  decodeSliceHeader,
  encodeControl,
  encodeControlItem,
  encodeDelimitedControl,
  encodeRepairPayload,
  encodeResultStream,
  encodeSliceHeader,
  encodeSliceItem,
  encodeSourceSymbol,
  formatFec,
  hasArrived,
  maxControlMessageBytes,
  parseFec,
  type ReceivedSlice,
  reedSolomon,
  reportArrivals,
  type SliceHeader,
} from "@sluice/protocol/wire";
import { sliceRange, TensorError } from "@sluice/tensor";
import { decodeMuxFrame, encodeMuxFrame, type MuxFrame } from "@sluice/transport";
import { fromHex, messageOf, plainMessage, toHex } from "../vectors/plain-form.js";
import type { Json, JsonObject } from "../vectors/vector.js";

interface PlainSlice {
  readonly header: JsonObject;
  readonly payload: string;
}

const plainHeader = (header: SliceHeader): JsonObject => ({ ...header }) as unknown as JsonObject;
const plainSlice = ({ header, payload }: ReceivedSlice): PlainSlice => ({
  header: plainHeader(header),
  payload: toHex(payload),
});

function headerOf(fields: JsonObject): SliceHeader {
  const none = { frame: 0, index: 0, ageMs: 0, payloadBytes: undefined, sequence: undefined };
  return { ...none, ...fields } as unknown as SliceHeader;
}

function decodeChunks(chunks: readonly string[]): ControlMessage[] {
  const decode = createControlDecoder();
  return chunks.flatMap((chunk) => decode(fromHex(chunk)));
}

function encodeItems(items: readonly { readonly control?: Json; readonly slice?: PlainSlice }[]): Uint8Array {
  const bytes = new Uint8Array(maxControlMessageBytes);
  let end = 0;
  for (const { control, slice } of items) {
    if (control !== undefined) end = encodeControlItem(bytes, end, encodeControl(messageOf(control)));
    if (slice) end = encodeSliceItem(bytes, end, headerOf(slice.header), fromHex(slice.payload));
  }
  return bytes.subarray(0, end);
}

interface ReportInput {
  readonly arrivals: readonly { readonly sequence: number; readonly bytes: number; readonly at: number }[];
  readonly recovered?: readonly number[];
  readonly frames: readonly {
    readonly stream: number;
    readonly frame: number;
    readonly unitsReceived: number;
    readonly units: number;
  }[];
  readonly queuedFrames: number;
  readonly reportTime: number;
}

interface PlainDatagram {
  readonly sequence: number;
  readonly hex: string;
}

interface RecoveryInput {
  readonly code: "rs" | "xor";
  readonly held: readonly PlainDatagram[];
  readonly repairs: readonly {
    readonly stream: number;
    readonly frame: number;
    readonly index: number;
    readonly count: number;
    readonly repair: number;
    readonly sequence: number;
    readonly payload: string;
  }[];
}

const streamKinds = ["bidirectional", "unidirectional"] as const;

function plainFrame(frame: MuxFrame): Json {
  if (frame.type === "data") return { ...frame, bytes: toHex(frame.bytes) };
  if (frame.type === "open-credit") return { ...frame, kind: streamKinds.indexOf(frame.kind) };
  return { ...frame };
}

function frameOf(plain: JsonObject): MuxFrame {
  if (plain.type === "data")
    return { ...plain, bytes: fromHex(plain.bytes as string) } as unknown as MuxFrame;
  if (plain.type === "open-credit")
    return { ...plain, kind: streamKinds[plain.kind as number] } as unknown as MuxFrame;
  return plain as unknown as MuxFrame;
}

/** Runs a step on numbers of a slice; what cannot be has the wire's code. */
function ranged<T>(step: () => T): T {
  try {
    return step();
  } catch (error) {
    if (!(error instanceof TensorError)) throw error;
    throw new ProtocolError(ErrorCode.sliceOutOfRange, error.message);
  }
}

/** Operations on bytes and messages, without sessions and without tensors. */
export const wireOperations = {
  "slice-header.decode": ({ hex }: { hex: string }) => {
    const bytes = fromHex(hex);
    return plainHeader(decodeSliceHeader({ bytes, offset: 0, end: bytes.length }));
  },
  "slice-header.encode": ({ header }: { header: JsonObject }) => {
    const bytes = new Uint8Array(64);
    return { hex: toHex(bytes.subarray(0, encodeSliceHeader(bytes, 0, headerOf(header)))) };
  },
  "datagram.decode": ({ hex }: { hex: string }) => {
    const { controls, slices } = decodeDatagram(fromHex(hex));
    return { controls: controls.map(plainMessage), slices: slices.map(plainSlice) };
  },
  "datagram.encode": ({ items }: { items: Parameters<typeof encodeItems>[0] }) => ({
    hex: toHex(encodeItems(items)),
  }),
  "tensor-stream.decode": ({ chunks, maxTensorBytes }: { chunks: string[]; maxTensorBytes: number }) => {
    const decoder = createTensorDecoder(maxTensorBytes);
    return { slices: chunks.flatMap((chunk) => decoder.decode(fromHex(chunk))).map(plainSlice) };
  },
  "result-stream.decode": ({ chunks, maxResultBytes }: { chunks: string[]; maxResultBytes: number }) => {
    const decoder = createResultDecoder(({ payloadBytes }) => {
      if (payloadBytes > maxResultBytes)
        throw new ProtocolError(ErrorCode.limitExceeded, `a payload of ${payloadBytes} bytes`);
    });
    for (const chunk of chunks) decoder.decode(fromHex(chunk));
    const { payload, ...body } = decoder.finish();
    const result = plainMessage({ kind: "result", body: { ...body, payload: new Uint8Array(0) } }).body;
    return { result, payload: toHex(payload) };
  },
  "result-stream.encode": ({ result, payload }: { result: JsonObject; payload: string }) => {
    const message = messageOf({ kind: "result", body: { ...result, payload } });
    if (message.kind !== "result") throw new TypeError("no result");
    return { hex: toHex(encodeResultStream(message.body)) };
  },
  "control-stream.decode": ({ chunks }: { chunks: string[] }) => ({
    messages: decodeChunks(chunks).map(plainMessage),
  }),
  "control-stream.encode": ({ messages }: { messages: Json[] }) => ({
    hex: messages.map((message) => toHex(encodeDelimitedControl(messageOf(message)))).join(""),
  }),
  "slice-range": ({ index, count, units }: { index: number; count: number; units: number }) =>
    ranged(() => ({ ...sliceRange(index, count, units) })),
  "slice-split": ({ index, count, parts }: { index: number; count: number; parts: number }) => ({
    slices: Array.from({ length: parts }, (_, j) => ({ index: index * parts + j, count: count * parts })),
  }),
  "mux.decode": ({ hex }: { hex: string }) => plainFrame(decodeMuxFrame(fromHex(hex))),
  "mux.encode": ({ frame }: { frame: JsonObject }) => ({ hex: toHex(encodeMuxFrame(frameOf(frame))) }),
  "fec.parse": ({ fec }: { fec: string }) => {
    try {
      return { fec: formatFec(parseFec(fec)!) };
    } catch (error) {
      throw new ProtocolError(ErrorCode.unknownFec, (error as Error).message);
    }
  },
  "fec.symbols": ({ datagrams, rows }: { datagrams: PlainDatagram[]; rows: number[] }) => {
    const sources = datagrams.map(({ hex }) => encodeSourceSymbol(fromHex(hex)));
    const offsets = datagrams.map(({ sequence }) => sequence - datagrams[0]!.sequence);
    const size = Math.max(...sources.map(({ length }) => length));
    const symbols = reedSolomon.encode(sources, rows, size);
    return { payloads: symbols.map((parity) => toHex(encodeRepairPayload({ offsets, parity }))) };
  },
  "fec.recover": ({ code, held, repairs }: RecoveryInput) => {
    const receiver = createFecReceiver(reedSolomon);
    for (const { sequence, hex } of held) receiver.hold(sequence, fromHex(hex));
    const recovered = repairs.flatMap(
      ({ payload, sequence, ...fields }) =>
        receiver.repair(headerOf({ ...fields }), fromHex(payload), sequence, {
          code,
          maxPercent: 100,
          span: 1,
        }).recovered,
    );
    const plain = recovered.map(({ sequence, bytes }) => ({ sequence, hex: toHex(bytes) }));
    return { recovered: plain.sort((a, b) => a.sequence - b.sequence) };
  },
  "report.make": ({ arrivals, recovered = [], frames, queuedFrames, reportTime }: ReportInput) => {
    const report = createReceiverReport();
    for (const { sequence, bytes, at } of arrivals) report.arrived(sequence, bytes, at / 10);
    for (const sequence of recovered) report.recovered(sequence);
    for (const { stream, frame, unitsReceived, units } of frames)
      report.frameReceived(stream, frame, unitsReceived, units, reportTime / 10);
    const body = report.take(queuedFrames, maxControlMessageBytes, reportTime / 10);
    const decoded = decodeControl(encodeControl({ kind: "feedback", body }));
    return { report: plainMessage(decoded!).body };
  },
  "report.read": ({ hex, sequences }: { hex: string; sequences: number[] }) => {
    const message = decodeControl(fromHex(hex));
    if (message?.kind !== "feedback") throw new ProtocolError(ErrorCode.protocolViolation, "no feedback");
    return {
      arrivals: reportArrivals(message.body).map(({ sequence, beforeReportMs }) => ({
        sequence,
        beforeReport: Math.round(beforeReportMs * 10),
      })),
      come: sequences.map((sequence) => hasArrived(message.body, sequence) ?? null),
    };
  },
};
