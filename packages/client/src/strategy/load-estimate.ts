/** How far both ends and the way between them are from what a profile says, learnt from results. */
import type { InferenceTerms } from "@sluice/protocol";
import { createAgingAverage } from "./aging-average.js";
import type { StrategyCandidate, StrategySample } from "./strategy-api.js";
import { createWorkLoad } from "./work-load.js";

export interface LoadEstimate {
  /** @param pathMs how long its bytes were to take on the path and back; 0: not known */
  add(candidate: StrategyCandidate, sample: StrategySample, pathMs: number, nowMs: number): void;
  /** The terms of a candidate as they are now, loads included. */
  terms(candidate: StrategyCandidate, nowMs: number): InferenceTerms;
  /** How many times longer than its profile says work usually takes. */
  clientLoad(nowMs: number): number;
  /** How many times the usual all works here together take. */
  clientExcess(nowMs: number): number;
  serverLoad(nowMs: number): number;
  serverQueueMs(nowMs: number): number;
  /** What of a work's time the server has for nothing else, as far as its queue has shown: 0: nothing, 1: all. */
  serialShare(nowMs: number): number;
  /** How much longer than is known of the path frames lately took on it: in queues that no estimate knows of. */
  detourMs(nowMs: number): number;
  /** What frames that came through had of the path, in bits per second; `undefined` before the first. */
  deliveryBitsPerSecond(rttMs: number, nowMs: number): number | undefined;
}

/** Loads come and go; a profile of another machine, or of a busy moment, is wrong for good. */
const loadHalfLifeMs = 60_000;
/** Rare samples, as of probes, have to tell of a load that has come or gone. */
const catchUpMs = 1_000;
/** Queues come and go within seconds. */
const halfLifeMs = 5_000;
/** A queue on the path fills within a few frames, and drains as fast when less is sent. */
const detourHalfLifeMs = 2_000;
const detourGain = 1 / 4;
/** A server that was full is full again with as much. */
const fullHalfLifeMs = 20_000;
/** Who waits for more than this share of a work waits for others: results come as fast as the server can work. */
const fullShare = 0.5;
/** Work shorter than this is mostly timers: it says nothing about load. */
const minWorkMs = 0.5;
/** What a candidate's own bytes and codec take changes with its content, not by itself. */
const contentHalfLifeMs = 600_000;

export function createLoadEstimate(candidates: readonly StrategyCandidate[]): LoadEstimate {
  const client = createWorkLoad(loadHalfLifeMs);
  const server = createWorkLoad(loadHalfLifeMs);
  const queue = createAgingAverage(0, halfLifeMs);
  const serial = createAgingAverage(0, fullHalfLifeMs);
  let resultMs: number | undefined;
  const detour = createAgingAverage(0, detourHalfLifeMs, { gain: detourGain, catchUpMs });
  const networkMs = createAgingAverage(0, halfLifeMs);
  const networkBytes = createAgingAverage(0, halfLifeMs);
  const content = new Map(
    candidates.map(({ name, terms }) => [
      name,
      {
        encodeMs: createAgingAverage(terms.encodeMs, contentHalfLifeMs),
        bytes: createAgingAverage(terms.bytes, contentHalfLifeMs),
        decodeMs: createAgingAverage(terms.decodeMs, contentHalfLifeMs),
      },
    ]),
  );
  return {
    add({ name, terms }, { clientMs, delivered, isDropped }, pathMs, nowMs) {
      if (clientMs !== undefined && terms.clientMs >= minWorkMs) {
        client.add(clientMs / terms.clientMs, nowMs);
      }
      if (terms.bytes === 0) return;
      if (!delivered) {
        if (!isDropped && terms.serverMs >= minWorkMs) server.failed(nowMs);
        return;
      }
      if (terms.serverMs >= minWorkMs) {
        server.add(delivered.serverMs / terms.serverMs, nowMs);
      }
      queue.add(delivered.queueMs, nowMs);
      if (resultMs !== undefined && delivered.queueMs > fullShare * delivered.serverMs)
        serial.add(Math.min(1, (nowMs - resultMs) / Math.max(minWorkMs, delivered.serverMs)), nowMs);
      resultMs = nowMs;
      const onPathMs = delivered.networkMs + delivered.reassemblyMs;
      if (pathMs > 0) detour.add(Math.max(0, onPathMs - pathMs), nowMs);
      networkMs.add(onPathMs, nowMs);
      networkBytes.add(delivered.bytes, nowMs);
      const own = content.get(name)!;
      own.encodeMs.add(delivered.encodeMs, nowMs);
      own.bytes.add(delivered.bytes, nowMs);
      own.decodeMs.add(delivered.decodeMs, nowMs);
    },
    terms({ name, terms }, nowMs) {
      const own = content.get(name)!;
      return {
        clientMs: terms.clientMs * client.usual(nowMs),
        encodeMs: own.encodeMs.value(nowMs),
        bytes: terms.bytes === 0 ? 0 : own.bytes.value(nowMs),
        decodeMs: own.decodeMs.value(nowMs),
        serverMs: terms.serverMs * server.usual(nowMs),
      };
    },
    clientLoad: client.usual,
    clientExcess: client.excess,
    serverLoad: server.usual,
    serverQueueMs: queue.value,
    serialShare: serial.value,
    detourMs: detour.value,
    deliveryBitsPerSecond(rttMs, nowMs) {
      const bytes = networkBytes.value(nowMs);
      if (bytes < 1) return undefined;
      return (bytes * 8_000) / Math.max(1, networkMs.value(nowMs) - rttMs);
    },
  };
}
