/** What the tracers of both ends share: the frames of a session whose end is not known yet. */
import type { FrameTrace } from "./frame-trace.js";
import type { ToldEvent } from "./told-event.js";

/** Makes traces of what one session tells. */
export interface FrameTracer {
  observe(event: ToldEvent): void;
}

export interface TracerOptions {
  /** Names the session at both ends. */
  readonly session: string;
  /** The session's clock, in milliseconds. */
  now(): number;
  /** When that clock was 0, in milliseconds since 1970. */
  readonly epochMs: number;
  /** A frame has ended. */
  onTrace(trace: FrameTrace): void;
}

interface FrameName {
  readonly stream: number;
  readonly frame: number;
}

/** What traces say of a frame's stream. */
export interface FrameTerms {
  readonly model: string;
  readonly split: string;
  readonly codec: string;
  readonly mode: string;
  readonly deadlineMs: number;
}

export interface OpenFrames<F extends FrameName> {
  /** Keeps the terms of streams. */
  observe(event: ToldEvent): void;
  terms(stream: number): FrameTerms;
  add(frame: F): void;
  find(name: FrameName): F | undefined;
  take(name: FrameName): F | undefined;
  all(): Iterable<F>;
  clear(): void;
}

/** Far above the frames that may be in flight; streams are as many as the limits of a session allow. */
const maxOpenFrames = 4_096;
const maxStreams = 1_024;

const unknown: FrameTerms = { model: "", split: "", codec: "", mode: "", deadlineMs: 0 };

export function createOpenFrames<F extends FrameName>(): OpenFrames<F> {
  const frames = new Map<string, F>();
  const streams = new Map<number, FrameTerms>();
  const keyOf = ({ stream, frame }: FrameName) => `${stream}/${frame}`;
  return {
    observe(event) {
      if (event.name !== "stream_opened") return;
      const { stream, model, split, codec, mode, deadlineMs } = event;
      // Frames may end after their stream, so the oldest are forgotten, not the closed ones.
      if (streams.size >= maxStreams) streams.delete(streams.keys().next().value!);
      streams.set(stream, { model, split, codec, mode, deadlineMs });
    },
    terms: (stream) => streams.get(stream) ?? unknown,
    add(frame) {
      if (frames.size >= maxOpenFrames) frames.delete(frames.keys().next().value!);
      frames.set(keyOf(frame), frame);
    },
    find: (name) => frames.get(keyOf(name)),
    take(name) {
      const frame = frames.get(keyOf(name));
      frames.delete(keyOf(name));
      return frame;
    },
    all: () => frames.values(),
    clear() {
      frames.clear();
      streams.clear();
    },
  };
}
