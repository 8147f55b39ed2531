/** The worker that streams: its timers go on while the page is in the background, and drawing does not hold them up. */
import {
  type AdaptiveOutcome,
  type AdaptiveStream,
  createAdaptiveStream,
  type ReconnectingClient,
} from "@sluice/client";
import type { ModelSummary } from "../model-summary.js";
import { planCandidates, type StreamedImage } from "./candidates.js";
import type { FrameEnd, FromWorker, ShownPrediction, ToWorker } from "./messages.js";
import { createModelParts, type ModelParts } from "./model-parts.js";
import { openSession } from "./open-session.js";
import { createPictureSource, type PictureSource } from "./picture-source.js";
import { fetchClip, fetchModel, fetchModels, fetchView, type PathState, setPath } from "./server-api.js";
import type { Settings } from "./settings.js";
import { readView } from "./view-bytes.js";

interface WorkerScope {
  postMessage(message: FromWorker, transfer?: readonly ArrayBuffer[]): void;
  addEventListener(type: "message", listener: (event: { readonly data: ToWorker }) => void): void;
}
const scope = globalThis as unknown as WorkerScope;
const tell = (message: FromWorker, transfer: readonly ArrayBuffer[] = []) =>
  scope.postMessage(message, transfer);
const messageOf = (error: unknown) => (error instanceof Error ? error.message : String(error));

const figuresIntervalMs = 250;
const pathIntervalMs = 1_000;
/** While a WebSocket carries the session, a new one is tried so often: UDP may get through again. */
const returnIntervalMs = 20_000;

let page = "";
let settings: Settings;
let model: ModelSummary | undefined;
let source: PictureSource;
let client: ReconnectingClient;
let stream: AdaptiveStream<StreamedImage> | undefined;
let path: PathState = { port: 0, packets: 0, lost: 0 };
let usesWebSocket = false;
let openedMs = 0;
/** Counts changes of the settings, so that only the last of several is carried out. */
let planned = 0;
let parts: ModelParts;

async function openPath(): Promise<PathState> {
  path = await setPath(page, settings.network);
  return path;
}

/** Opens what the settings ask for and only then lets go of what was there before. */
async function openStream(): Promise<void> {
  if (!model) return;
  const turn = ++planned;
  const wanted = settings;
  try {
    const candidates = await planCandidates(wanted, model, parts);
    const opened = await createAdaptiveStream<StreamedImage>(client, {
      ...{ candidates, deadlineMs: wanted.deadlineMs, framesPerSecond: wanted.framesPerSecond },
      onSwitch: ({ to, reason }) => tell({ type: "switch", candidate: to, reason }),
      onUnavailable: (candidate, error) =>
        tell({ type: "problem", message: `${candidate}: ${error.message}` }),
    });
    if (turn !== planned) {
      opened.close();
      return;
    }
    stream?.close();
    stream = opened;
    const [first] = opened.streams.values();
    tell({
      type: "stream",
      codec: first?.codec ?? "",
      mode: first?.mode ?? "",
      shape: first?.spec.shape ?? [],
    });
  } catch (error) {
    if (turn === planned) tell({ type: "problem", message: messageOf(error) });
  }
}

function readAnswer(answer: unknown): {
  predictions: readonly ShownPrediction[];
  label: number;
  view: unknown;
} {
  const { predictions = [], view } = (answer ?? {}) as {
    readonly predictions?: readonly {
      readonly name: string;
      readonly description: string;
      readonly score: number;
    }[];
    readonly view?: unknown;
  };
  return {
    predictions: predictions.map(({ name, description, score }) => ({ name: description || name, score })),
    ...{ label: Number(predictions[0]?.name), view },
  };
}

function describeEnd(outcome: AdaptiveOutcome, label: number | undefined): FrameEnd {
  const nothing = {
    onTime: false,
    latencyMs: 0,
    timings: undefined,
    concealedFraction: 0,
    slicesRecovered: 0,
  };
  const common = { atMs: performance.now(), candidate: outcome.candidate };
  if (outcome.status !== "delivered") {
    return {
      ...common,
      ...nothing,
      status: outcome.status,
      reason: outcome.reason,
      predictions: [],
      isRight: undefined,
    };
  }
  const { onTime, latencyMs, timings, concealedFraction, slicesRecovered } = outcome;
  const { predictions, label: best } = readAnswer(outcome.answer);
  const isRight = label === undefined ? undefined : best === label;
  return {
    ...{ ...common, status: "delivered", reason: "", predictions, isRight },
    ...{ onTime, latencyMs, timings, concealedFraction, slicesRecovered },
  };
}

async function sendFrame(): Promise<void> {
  const picture = source.next(settings.source === "clip");
  if (!picture) return;
  tell({ type: "picture", pixels: picture.pixels.slice(), width: source.width, height: source.height });
  if (!stream) return;
  const frame: StreamedImage = { image: picture.image };
  try {
    const outcome = await stream.send(frame);
    tell({ type: "frame", end: describeEnd(outcome, picture.label) });
    if (outcome.status === "delivered") await showView(readAnswer(outcome.answer).view, frame);
  } catch (error) {
    tell({ type: "problem", message: messageOf(error) });
  }
}

async function showView(name: unknown, { sent }: StreamedImage): Promise<void> {
  if (typeof name !== "string" || !sent) return;
  const bytes = await fetchView(name).catch(() => undefined);
  if (!bytes) return;
  const view = readView(bytes, sent);
  tell({ type: "view", view }, [view.sent.buffer, view.used.buffer, view.missing.buffer]);
}

/** A frame at every tick, whatever became of those before, as a camera does; ticks that were missed are not made up for. */
function pace(): void {
  let nextMs = performance.now();
  const tick = () => {
    void sendFrame();
    nextMs = Math.max(nextMs + 1_000 / settings.framesPerSecond, performance.now());
    setTimeout(tick, nextMs - performance.now());
  };
  tick();
}

function tellFigures(): void {
  const { offered, admitted, bytesSent, bandwidthBitsPerSecond, ...rest } = client.figures();
  const { rttMs, lossShare, slicesRepeated, repairsSent } = rest;
  tell({
    type: "figures",
    figures: {
      ...{ offered, admitted, bytesSent, bandwidthBitsPerSecond },
      ...{ rttMs, lossShare, slicesRepeated, repairsSent },
      ...{ packets: path.packets, packetsLost: path.lost },
    },
  });
}

function watchPath(): void {
  if (client.state.status !== "open" || !usesWebSocket || settings.network.isBlocked) return;
  if (performance.now() - openedMs > returnIntervalMs) client.renew("UDP may get through again");
}

async function start(wanted: string): Promise<void> {
  let clip: Awaited<ReturnType<typeof fetchClip>>;
  let models: readonly string[];
  [model, clip, models] = await Promise.all([fetchModel(wanted), fetchClip(wanted), fetchModels()]);
  parts = createModelParts(model.name, (provider) => tell({ type: "engine", provider }));
  settings = withCut(settings);
  source = createPictureSource(model, clip);
  tell({ type: "model", model, models, hasClip: clip !== null });
  // Loading the network takes longer than opening the session: both begin at once.
  void parts.get(settings.cut).catch(() => {});
  client = await openSession({
    openPath,
    onState: (state) => tell({ type: "connection", state }),
    onTransport(transport) {
      usesWebSocket = transport.name === "websocket";
      openedMs = performance.now();
      tell({ type: "transport", transport });
    },
    onStreamLost(lost, error) {
      if (!stream?.handleStreamLost(lost, error)) tell({ type: "problem", message: error.message });
    },
  });
  await openStream();
  pace();
  setInterval(tellFigures, figuresIntervalMs);
  setInterval(watchPath, figuresIntervalMs);
  setInterval(() => void openPath().catch(() => {}), pathIntervalMs);
}

/** The page may send settings before it was told of the model and its cuts. */
const withCut = (wanted: Settings): Settings => ({ ...wanted, cut: wanted.cut || (model?.defaultCut ?? "") });

function changeSettings(next: Settings): void {
  const before = settings;
  settings = withCut(next);
  if (!client) return;
  if (JSON.stringify(next.network) !== JSON.stringify(before.network)) {
    const wasBlocked = before.network.isBlocked && !next.network.isBlocked;
    openPath().then(
      () => wasBlocked && usesWebSocket && client.renew("UDP gets through again"),
      () => {},
    );
  }
  const ofStream = ({ cut, strategy, codec, fec, concealment, deadlineMs, framesPerSecond }: Settings) =>
    JSON.stringify([cut, strategy, codec, fec, concealment, deadlineMs, framesPerSecond]);
  if (ofStream(next) !== ofStream(before)) void openStream();
}

scope.addEventListener("message", ({ data }) => {
  switch (data.type) {
    case "start":
      ({ page, settings } = data);
      start(data.model).catch((error: unknown) => tell({ type: "problem", message: messageOf(error) }));
      return;
    case "settings":
      changeSettings(data.settings);
      return;
    case "pixels":
      source?.setLatest(data.pixels);
      return;
    default:
      data satisfies never;
  }
});
