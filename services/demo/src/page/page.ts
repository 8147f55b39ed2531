/** The page: it shows what the worker that streams tells, and tells it what the controls say. */
import { type Camera, createCamera } from "./camera.js";
import { createMosaic } from "./channel-mosaic.js";
import { createControls } from "./controls.js";
import { createDrawing, type Drawing } from "./drawing.js";
import { element } from "./element.js";
import { createHistory } from "./history.js";
import type { FrameEnd, FromWorker, TensorView, ToWorker } from "./messages.js";
import { createPlots } from "./plots.js";
import { createPredictions } from "./predictions.js";
import type { PictureSize } from "./read-pixels.js";
import type { Settings } from "./settings.js";
import { createStatusLine } from "./status-line.js";
import { createTheme } from "./theme.js";
import { createTiles } from "./tiles.js";
import { createWaterfall } from "./waterfall.js";

const stepMs = 500;

const worker = new Worker("/stream-worker.js", { type: "module" });
const post = (message: ToWorker, transfer: Transferable[] = []) => worker.postMessage(message, transfer);

const history = createHistory();
const tiles = createTiles();
const waterfall = createWaterfall();
const predictions = createPredictions();
const status = createStatusLine();
const mosaics = {
  sent: createMosaic(element("sent", HTMLCanvasElement), "sent"),
  received: createMosaic(element("received", HTMLCanvasElement), "received"),
  concealed: createMosaic(element("concealed", HTMLCanvasElement), "concealed"),
};
const picture = element("picture", HTMLCanvasElement);
const pictureContext = picture.getContext("2d")!;
let plots: ReturnType<typeof createPlots> | undefined;
let camera: Camera | undefined;
let drawing: Drawing | undefined;
let source: Settings["source"] = "clip";
/** The worker's clock; the page's began earlier. */
let latestMs = 0;
let view: TensorView | undefined;
let isViewDrawn = true;
const counts = { ended: 0, delivered: 0, onTime: 0 };

const controls = createControls((settings) => {
  post({ type: "settings", settings });
  if (settings.source !== source) void changeSource(settings.source);
});

/** For whoever watches from outside: what became of the frames since the page was loaded. */
function count({ status, onTime }: FrameEnd): void {
  counts.ended++;
  if (status === "delivered") counts.delivered++;
  if (onTime) counts.onTime++;
  const { dataset } = element("flow", HTMLElement);
  for (const [name, value] of Object.entries(counts)) dataset[name] = String(value);
}

async function changeSource(next: Settings["source"]): Promise<void> {
  source = next;
  camera?.stop();
  drawing?.show(next === "drawing");
  const captions = {
    clip: "labelled pictures, 28 × 28",
    camera: "what your camera sees",
    drawing: "draw here",
  };
  element("picture-caption", HTMLSpanElement).textContent = captions[next];
  if (next !== "camera") return;
  try {
    await camera?.start();
  } catch (error) {
    status.showProblem(error instanceof Error ? error.message : String(error));
    controls.setSource("clip");
  }
}

function createSources(size: PictureSize): void {
  const send = (pixels: Uint8Array<ArrayBuffer>) => post({ type: "pixels", pixels }, [pixels.buffer]);
  camera = createCamera(size, send);
  drawing = createDrawing(size, send);
  void changeSource(controls.settings.source);
}

function showPicture({ pixels, width, height }: Extract<FromWorker, { type: "picture" }>): void {
  if (picture.width !== width) picture.width = width;
  if (picture.height !== height) picture.height = height;
  const image = pictureContext.createImageData(width, height);
  const channels = pixels.length / (width * height);
  for (let i = 0; i < width * height; i++) {
    for (let c = 0; c < 3; c++) image.data[4 * i + c] = pixels[channels === 3 ? 3 * i + c : i]!;
    image.data[4 * i + 3] = 255;
  }
  pictureContext.putImageData(image, 0, 0);
}

/** At most once in a frame of the screen. */
function drawView(): void {
  if (!view || isViewDrawn) return;
  isViewDrawn = true;
  const { shape, sent, used, missing } = view;
  mosaics.sent.draw(sent, shape, missing);
  mosaics.received.draw(used, shape, missing);
  mosaics.concealed.draw(used, shape, missing);
  const lost = missing.reduce((sum, bit) => sum + bit, 0);
  element("sent-caption", HTMLParagraphElement).textContent = `${shape.join(" × ")} elements`;
  element("received-caption", HTMLSpanElement).textContent =
    lost === 0 ? "nothing was lost" : `${((100 * lost) / missing.length).toFixed(1)} % lost`;
}

function handle(message: FromWorker): void {
  switch (message.type) {
    case "model":
      controls.showModel(message.model, message.models, message.hasClip);
      createSources(sizeOf(message.model.input.shape, message.model.input.layout));
      status.showModel(message.model);
      return;
    case "picture":
      showPicture(message);
      return;
    case "frame":
      latestMs = message.end.atMs;
      history.addFrame(message.end);
      count(message.end);
      if (message.end.status === "delivered") predictions.draw(message.end);
      return;
    case "figures":
      history.addFigures(message.figures, performance.now());
      return;
    case "view":
      view = message.view;
      isViewDrawn = false;
      requestAnimationFrame(drawView);
      return;
    default:
      status.handle(message);
  }
}

function sizeOf(shape: readonly (number | null)[], layout: string): PictureSize {
  const [height, width, channels] = layout === "hwc" ? shape : [shape[1], shape[2], shape[0]];
  return { width: width ?? 1, height: height ?? 1, channels: channels === 3 ? 3 : 1 };
}

worker.addEventListener("message", ({ data }: MessageEvent<FromWorker>) => handle(data));
worker.addEventListener("error", ({ message }) =>
  status.showProblem(`The page's worker has failed: ${message}`),
);
createTheme(() => {
  plots?.recolour();
  isViewDrawn = false;
  drawView();
});
plots = createPlots();
waterfall.draw(undefined, controls.settings.deadlineMs);
post({
  ...{ type: "start", page: crypto.randomUUID?.() ?? randomName(), settings: controls.settings },
  model: new URLSearchParams(location.search).get("model") ?? "",
});

setInterval(() => {
  history.step(performance.now());
  const summary = history.summary(latestMs);
  tiles.draw(summary);
  waterfall.draw(summary.stages, controls.settings.deadlineMs);
  if (!document.hidden) plots?.draw(history.steps);
}, stepMs);

/** Where the page is no secure context there are no UUIDs. */
function randomName(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) =>
    byte.toString(16).padStart(2, "0"),
  ).join("");
}
