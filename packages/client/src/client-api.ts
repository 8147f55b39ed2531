/** What applications see of a client, whether it lives for one session or for many. */
import type { Codec } from "@sluice/codec";
import type {
  ClientFigures,
  DeliveryMode,
  PathEstimate,
  ResultContent,
  ResultFormat,
  SessionLimits,
  SessionObserver,
} from "@sluice/protocol";
import type { CutStatistics, Tensor, TensorSpec } from "@sluice/tensor";
import type { Clock } from "@sluice/transport/core";
import type { FrameOutcome } from "./frame-outcome.js";

export interface ClientOptions {
  /** Bearer token, where the server asks for one. */
  readonly token?: Uint8Array;
  /** Names the application in the server's log. */
  readonly agent?: string;
  /** Names from the registry of what the application can do beyond the version. Default: none. */
  readonly capabilities?: readonly string[];
  /** The server takes nothing new; it closes after `timeoutMs`, 0 where it does not say. */
  readonly onDrain?: (drain: SessionEnd & { readonly timeoutMs: number }) => void;
  /** Milliseconds without a sign of life after which a session counts as silent. Default 5,000. */
  readonly silenceMs?: number;
  /**
   * Nothing has been heard of the server for `silenceMs`, or it is heard again. The session goes on: without a sign of life it
   * ends with `peerSilent` after 28 s. Who cannot wait that long closes it.
   */
  readonly onSilence?: (isSilent: boolean) => void;
  /** Asked once for each session, for traces and qlog files; `createTracing` of `@sluice/tracing` has it. Default: none. */
  readonly observeSession?: () => ObservedSession;
  /** Default: the host's own. */
  readonly clock?: Clock;
}

/** Who is told what a session does. */
export interface ObservedSession {
  /** Stands behind the client's `agent`: how the server learns the session's name, so that what both ends write can be joined. */
  readonly agentSuffix: string;
  readonly observe: SessionObserver;
}

/** Why a session ends; the code is from the error registry. */
export interface SessionEnd {
  readonly code: number;
  readonly reason: string;
}

/** The statistics of a cut, and the SHA-256 that both ends compare. */
export interface AgreedStatistics {
  readonly value: CutStatistics;
  readonly hash: Uint8Array;
}

export interface OpenStreamOptions {
  /** The model as the server knows it: `name`, or `name@version`. */
  readonly model: string;
  /** The tensor at the cut; empty: the model's input. */
  readonly split?: string;
  readonly spec: TensorSpec;
  /**
   * A codec or its text: `pipe(quantize({ levels: 8, clip: 3 }), tile(), jpeg({ quality: 40 }))` or
   * `quantize:levels=8,clip=3 | tile | jpeg:quality=40`. Default: quantization for float32, else the elements as they are.
   */
  readonly codec?: string | Codec;
  /** Default `datagram`; on a session without datagrams it becomes `stream`. */
  readonly mode?: DeliveryMode;
  /** How long after its capture a result is useful, in milliseconds. Default 150. */
  readonly deadlineMs?: number;
  /** Concealment method; default: the server's choice. */
  readonly concealment?: string;
  readonly statistics?: AgreedStatistics;
  /** 0, the most urgent, to 7: while several streams send, each one's share halves with every step. Default 3. */
  readonly urgency?: number;
  /** Per cent of a frame that is waited and asked for while it can be in time, 0 to 100. Default 0: any of it. */
  readonly minReceivedPercent?: number;
  /**
   * Forward error correction of datagrams: `rs:max=15,span=1` sends at most 15 % more bytes as repair symbols, as many as
   * the losses of the path make worth it; with `span` a group goes over so many frames where the deadline allows. `xor`
   * is the cheap form. Together with `minReceivedPercent` what is lost is sent again instead where that is in time.
   * Default: none. Nothing is done about it on a session without datagrams.
   */
  readonly fec?: string;
  /**
   * What a slice holds, so that what is lost together lies apart and can be told from what came: `checkerboard`,
   * `channel-strided` or `pseudo-random:seed=1`, where the codec can do it (spec 5.8); `contiguous` as the codec has it.
   * Default: what suits the codec in mode `datagram`, `checkerboard` for single elements, unless the server does not
   * know it.
   */
  readonly interleave?: string;
  /** How results are written on the wire. Default `messagepack`; what it is in the end is in {@link TensorStream}. */
  readonly resultFormat?: ResultFormat;
  /**
   * What the model is to answer: `predictions`, `tensors` (its outputs, for {@link readOutputs}), or `model`, what suits it.
   * Default `model`.
   */
  readonly resultContent?: ResultContent;
  /**
   * Bytes of the largest result that is taken, 0 to 128 Mi; a server does not begin a stream whose outputs are larger, and one
   * that has limits of its own may send less. What is over 16 KiB travels on a QUIC stream of its own, and is given up at the
   * frame's deadline. 0: results come in messages, of 65,000 bytes at most. Default 64 Mi.
   */
  readonly maxResultBytes?: number;
  /** Number of the first frame. Default 0. */
  readonly firstFrame?: number;
}

/** A stream of tensors of one spec to one model. */
export interface TensorStream {
  readonly spec: TensorSpec;
  /** The codec in its canonical text form. */
  readonly codec: string;
  readonly mode: DeliveryMode;
  /** Forward error correction in its canonical text form; empty where there is none. */
  readonly fec: string;
  /** What slices hold, in its canonical text form; empty where that is the codec's own order. */
  readonly interleave: string;
  readonly deadlineMs: number;
  /** The method that the server conceals with. */
  readonly concealment: string;
  /** How the server writes results: in MessagePack where it does not know what was asked for. */
  readonly resultFormat: ResultFormat;
  /** The model that serves it, with its version where the server says it: `name@version`. */
  readonly model: string;
  /** The number that the next admitted frame gets. */
  readonly nextFrame: number;
  /**
   * Offers a frame. The gate decides first; only for an admitted frame is `produce` called, which gives the tensor
   * (or a promise of it). The tensor must not change until the frame has ended. Never rejects for reasons of the
   * network: the outcome says what became of the frame.
   * @param capturedMs when the frame was captured, on the client's clock; default: now
   * @throws what `produce` throws, TensorError where the tensor is not of the stream's spec
   */
  send(produce: ProduceTensor, capturedMs?: number): Promise<FrameOutcome>;
  /** No more frames follow. */
  close(): void;
}

/** A tensor, or what makes one for an admitted frame. */
export type ProduceTensor = Tensor | ((budget: FrameBudget) => Tensor | Promise<Tensor>);

export interface FrameBudget {
  /**
   * Bytes that the encoded frame may have to be in time, by the latest estimates; Infinity while the path is not known.
   * For producers that can do with less: a smaller crop, a coarser tensor.
   */
  readonly bytes: number;
}

/** What a session knows, with what its transport does. */
export interface SessionFigures extends ClientFigures {
  /** Datagrams that wait in the transport; 0 where it cannot tell. */
  readonly datagramsQueued: number;
  /** Datagrams that the transport gave up before they were sent; 0 where it cannot tell. */
  readonly datagramsDropped: number;
}

export interface Client {
  /** @throws ClientError, TensorError or RangeError naming the option; as rejections */
  openStream(options: OpenStreamOptions): Promise<TensorStream>;
  /** What the server allows now. */
  readonly limits: SessionLimits;
  /** What both ends can do, of the names that were offered. */
  readonly capabilities: readonly string[];
  /** Counts and estimates of the session. */
  figures(): SessionFigures;
  /** What is known of the path at this moment. */
  pathEstimate(): PathEstimate;
  /** Resolves when no frame is in flight. */
  idle(): Promise<void>;
  /** Whether the server has asked for no new frames. */
  readonly draining: boolean;
  close(code?: number, reason?: string): void;
  /** Settles once, never rejects. */
  readonly closed: Promise<SessionEnd>;
}
