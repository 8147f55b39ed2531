/**
 * Drives a {@link StrategySelector}: asks it about every frame, sends the frame by what it says and tells it what became
 * of it. All tensor streams are open from the start in one session, so a change is a choice of the stream for the next
 * frame; those of the last choice that are under way end as they would have.
 */
import { createSystemClock } from "@sluice/transport/core";
import type { TensorStream } from "../client-api.js";
import { ClientError } from "../client-error.js";
import { countOutcome, createFrameCounts } from "../frame-counts.js";
import type { FrameOutcome } from "../frame-outcome.js";
import type {
  AdaptiveCandidate,
  AdaptiveClient,
  AdaptiveOutcome,
  AdaptiveStream,
  AdaptiveStreamOptions,
  LocalCandidate,
  SentCandidate,
} from "./adaptive-api.js";
import { createClientLane, type LaneTurn } from "./client-lane.js";
import { describeLocal } from "./describe-local.js";
import { createOfferedRate } from "./offered-rate.js";
import { orHere } from "./rescue.js";
import type { Prediction, StrategySample } from "./strategy-api.js";
import { createStrategySelector } from "./strategy-selector.js";

const maxCandidates = 16;

/** Times in milliseconds. */
interface Offer {
  readonly capturedMs: number;
  readonly offeredMs: number;
  readonly isProbe: boolean;
}

/**
 * Opens the streams of all candidates.
 * @throws RangeError naming the field; ClientError where the server takes none of them and nothing can run here
 */
export async function createAdaptiveStream<Frame>(
  client: AdaptiveClient,
  options: AdaptiveStreamOptions<Frame>,
): Promise<AdaptiveStream<Frame>> {
  const { candidates, deadlineMs, signal, clientConcurrency = 1 } = options;
  const clock = options.clock ?? createSystemClock(globalThis);
  if (candidates.length > maxCandidates) {
    throw new RangeError(`candidates: at most ${maxCandidates} are allowed, got ${candidates.length}`);
  }
  const selector = createStrategySelector(options);
  const byName = new Map(candidates.map((candidate) => [candidate.name, candidate]));
  const local = candidates.find((each): each is LocalCandidate<Frame> => each.strategy === "client");
  const lane = createClientLane(clientConcurrency, clock);
  const rate = createOfferedRate(options.framesPerSecond ?? 30);
  const streams = new Map<string, TensorStream>();
  const unavailable = new Set<string>();
  const counts = createFrameCounts();
  const offeredTo: Record<string, number> = Object.fromEntries(candidates.map(({ name }) => [name, 0]));
  let switches = 0;
  let probes = 0;
  let rescued = 0;
  let chosen: string | undefined;
  let localFrames = 0;
  let isClosed = false;

  function refuse(name: string, error: ClientError): void {
    unavailable.add(name);
    streams.delete(name);
    options.onUnavailable?.(name, error);
  }

  async function open({ name, stream }: SentCandidate<Frame>): Promise<ClientError | undefined> {
    try {
      streams.set(name, await client.openStream({ ...stream, deadlineMs }));
      return undefined;
    } catch (error) {
      if (!(error instanceof ClientError && error.kind === "stream-rejected")) throw error;
      refuse(name, error);
      return error;
    }
  }

  function close(): void {
    if (isClosed) return;
    isClosed = true;
    signal?.removeEventListener("abort", close);
    for (const stream of streams.values()) stream.close();
  }

  function predictionOf(name: string): Prediction {
    return selector.predictions.find(({ candidate }) => candidate === name)!;
  }

  /** Waits until the client's part of a candidate may begin; `undefined`: not for this frame. */
  function enterLane(name: string, capturedMs: number, isProbe: boolean): Promise<LaneTurn | undefined> {
    return lane.enter({
      ...{ capturedMs, isProbe },
      workMs: () => predictionOf(name).clientMs,
      latestEndMs: () => capturedMs + deadlineMs - (predictionOf(name).totalMs - predictionOf(name).clientMs),
    });
  }

  async function runHere(
    { name, run }: LocalCandidate<Frame>,
    frame: Frame,
    capturedMs: number,
    isProbe: boolean,
    note: (workMs: number) => void,
  ): Promise<FrameOutcome> {
    const startMs = clock.now();
    const turn = await enterLane(name, capturedMs, isProbe);
    if (!turn) return { status: "dropped", reason: "in-flight" };
    const { value, workMs } = await turn.run(() => run(frame));
    note(workMs);
    const latencyMs = clock.now() - capturedMs;
    return describeLocal(localFrames++, value, latencyMs, latencyMs <= deadlineMs, clock.now() - startMs);
  }

  async function sendOver(
    { name, strategy, produce }: SentCandidate<Frame>,
    frame: Frame,
    capturedMs: number,
    isProbe: boolean,
    note: (workMs: number) => void,
  ): Promise<FrameOutcome> {
    const stream = streams.get(name);
    if (!stream) return { status: "dropped", reason: "not-open" };
    if (strategy === "server") return stream.send((budget) => produce(frame, budget), capturedMs);
    // The gate decides when the work can begin: it knows how long that takes, the lane from when on.
    const turn = await enterLane(name, capturedMs, isProbe);
    if (!turn) return { status: "dropped", reason: "in-flight" };
    const outcome = stream.send(async (budget) => {
      const { value, workMs } = await turn.run(() => produce(frame, budget));
      note(workMs);
      return value;
    }, capturedMs);
    return outcome.finally(turn.leave);
  }

  async function sendBy(
    candidate: AdaptiveCandidate<Frame>,
    frame: Frame,
    { capturedMs, offeredMs, isProbe }: Offer,
  ): Promise<FrameOutcome> {
    let clientMs: number | undefined;
    const note = (workMs: number) => {
      clientMs = workMs;
    };
    const common = { candidate: candidate.name, isProbe, offeredMs };
    try {
      const outcome =
        candidate.strategy === "client"
          ? await runHere(candidate, frame, capturedMs, isProbe, note)
          : await sendOver(candidate, frame, capturedMs, isProbe, note);
      selector.add({ ...common, ...describeSample(outcome, clientMs) }, clock.now());
      return outcome;
    } catch (error) {
      selector.add({ ...common, onTime: false, isDropped: false }, clock.now());
      throw error;
    }
  }

  /** As the choice says, and here where that fails. */
  async function sendOrRescue(
    candidate: AdaptiveCandidate<Frame>,
    frame: Frame,
    capturedMs: number,
  ): Promise<AdaptiveOutcome> {
    const { name, strategy } = candidate;
    const offeredMs = clock.now();
    const sent = sendBy(candidate, frame, { capturedMs, offeredMs, isProbe: false });
    if (!local || strategy === "client") return { ...(await sent), choice: name, candidate: name };
    const { outcome, isHere } = await orHere(sent, {
      ...{ clock, strategy, endMs: capturedMs + deadlineMs, workMs: predictionOf(local.name).totalMs },
      // What is learnt of it is of the frame's own time: another choice may have been made since.
      run: () => (isClosed ? sent : sendBy(local, frame, { capturedMs, offeredMs, isProbe: false })),
    });
    if (isHere) rescued++;
    return { ...outcome, choice: name, candidate: isHere ? local.name : name };
  }

  signal?.addEventListener("abort", close);
  if (signal?.aborted) close();
  const sent = candidates.filter((candidate) => candidate.strategy !== "client");
  const refusals = await Promise.all(sent.map(open));
  if (isClosed) for (const stream of streams.values()) stream.close();
  if (unavailable.size === candidates.length) throw refusals.find((refusal) => refusal !== undefined)!;

  return {
    get candidate() {
      return chosen;
    },
    streams,
    async send(frame, capturedMs = clock.now()): Promise<AdaptiveOutcome> {
      const nowMs = clock.now();
      rate.add(nowMs);
      const decision = selector.choose({
        ...{ nowMs, framesPerSecond: rate.framesPerSecond, unavailable },
        ...{ path: client.pathEstimate(), limits: client.limits },
      });
      chosen = decision.candidate;
      if (decision.switched) {
        switches++;
        options.onSwitch?.(decision.switched);
      }
      if (decision.probe !== undefined) {
        probes++;
        // Its failure is the candidate's, which shows when it is used.
        void sendBy(byName.get(decision.probe)!, frame, {
          capturedMs,
          offeredMs: nowMs,
          isProbe: true,
        }).catch(() => {});
      }
      counts.offered++;
      counts.inFlight++;
      offeredTo[chosen] = offeredTo[chosen]! + 1;
      const candidate = byName.get(chosen)!;
      try {
        const outcome = await sendOrRescue(candidate, frame, capturedMs);
        countOutcome(counts, outcome);
        return outcome;
      } catch (error) {
        counts.failed++;
        throw error;
      } finally {
        counts.inFlight--;
      }
    },
    handleStreamLost(stream, error) {
      for (const [name, own] of streams) {
        if (own !== stream) continue;
        refuse(name, error);
        return true;
      }
      return false;
    },
    figures: () => ({
      ...{ ...counts, switches, probes, rescued, offeredTo: { ...offeredTo } },
      ...{ estimates: selector.estimates, predictions: selector.predictions },
    }),
    close,
  };
}

function describeSample(
  outcome: FrameOutcome,
  clientMs: number | undefined,
): Pick<StrategySample, "onTime" | "isDropped" | "clientMs" | "delivered"> {
  const measured = {
    isDropped: outcome.status === "dropped",
    ...(clientMs === undefined ? {} : { clientMs }),
  };
  if (outcome.status !== "delivered") return { onTime: false, ...measured };
  const { onTime, bytes, timings } = outcome;
  const { encode, reassembly, decode, queue, inference, network } = timings;
  return {
    ...{ onTime, ...measured },
    delivered: {
      ...{ encodeMs: encode, bytes, decodeMs: decode },
      ...{ queueMs: queue, serverMs: inference, networkMs: network, reassemblyMs: reassembly },
    },
  };
}
