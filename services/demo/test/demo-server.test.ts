/** What the page's server answers, without a browser. */
import { createViewTap, serveDemoPage } from "@sluice/demo";
import { loadModel } from "@sluice/inference";
import t from "tap";

const model = await loadModel("fashion");
const page = await serveDemoPage({
  ...{ host: "127.0.0.1", port: 0, models: [{ reference: "fashion", model }], tap: createViewTap() },
  server: { host: "127.0.0.1", port: 9, certificates: () => [{ hash: "00" }] },
});
t.teardown(() => page.close());
const conditions = { delayMs: 20, loss: 0.03, burst: 1, rateBitsPerSecond: null };
const put = (name: string, body: unknown, type = "application/json") =>
  fetch(`${page.url}api/path/${name}`, {
    method: "PUT",
    body: JSON.stringify(body),
    headers: { "content-type": type },
  });

t.test("the model, its cuts and its parts", async (t) => {
  t.strictSame(await (await fetch(`${page.url}api/models`)).json(), ["fashion"]);
  const summary = (await (await fetch(`${page.url}api/model`)).json()) as { cuts: { name: string }[] };
  t.match(summary, {
    name: "fashion",
    defaultCut: "add_3",
    labels: { length: 10 },
    input: { shape: [1, 28, 28] },
  });
  t.ok(summary.cuts.some(({ name }) => name === "add_3"));
  const size = async (cut: string) =>
    (await (await fetch(`${page.url}api/part?cut=${cut}`)).arrayBuffer()).byteLength;
  const [half, whole] = [await size("add_3"), await size("")];
  t.ok(half > 1_000 && half < whole, `${half} of ${whole} bytes`);
  const unknown = await fetch(`${page.url}api/part?cut=nonsense`);
  t.equal(unknown.status, 400);
  t.match(await unknown.text(), /^cut "nonsense": the model has no tensor of that name/);
  const statistics = (await (await fetch(`${page.url}api/statistics?cut=add_3`)).json()) as { hash: string };
  t.match(statistics.hash, /^[0-9a-f]{64}$/);
  const clip = (await (await fetch(`${page.url}api/clip`)).json()) as { images: unknown[] };
  t.match(clip, { width: 28, height: 28, images: { length: 120 } });
});

t.test("each page has a network of its own, which goes on when it is set again", async (t) => {
  const first = (await (await put("page-number-1", conditions)).json()) as { port: number };
  const second = (await (await put("page-number-2", conditions)).json()) as { port: number };
  t.not(first.port, second.port);
  t.match(await (await put("page-number-1", { ...conditions, loss: 1 })).json(), {
    port: first.port,
    packets: 0,
  });
  const refused = await put("page-number-1", { ...conditions, delayMs: "20" });
  t.equal(refused.status, 400);
  t.equal(await refused.text(), 'delayMs: must be a number from 0 to 2000, got "20"');
  t.equal((await put("page-number-1", conditions, "text/plain")).status, 415, "another origin's page cannot");
  t.equal((await put("short", conditions)).status, 405);
});

t.test("files, and nothing but them", async (t) => {
  const index = await fetch(page.url);
  t.match(index.headers.get("content-security-policy"), /default-src 'self'/);
  t.match(await index.text(), /<title>Sluice/);
  for (const path of ["page.js", "page.css", "stream-worker.js", "runtime/ort-wasm-simd-threaded.wasm"]) {
    t.equal((await fetch(`${page.url}${path}`, { method: "HEAD" })).status, 200, path);
  }
  for (const path of ["..%2fpackage.json", "runtime/package.json", "page.ts", "nothing", "api/view?name=a"]) {
    t.equal((await fetch(`${page.url}${path}`)).status, 404, path);
  }
});
