/** The client in a page of Chromium, against a real server: datagrams, the fallback, and a server that is started again. */
import { createSocket } from "node:dgram";
import { readFile } from "node:fs/promises";
import type { AddressInfo } from "node:net";
import { fileURLToPath } from "node:url";
import { bundle, noChromium, openChromium, servePages } from "@sluice/chromium-test";
import { type Http3Server, listen } from "@sluice/http3";
import {
  answerOutputs,
  createServer,
  createSinkModel,
  type ServedStream,
  type SinkAnswer,
  tensorChecksum,
} from "@sluice/server";
import { createRelay } from "@sluice/simnet";
import { createTensor, type Tensor } from "@sluice/tensor";
import t from "tap";

interface Outcome {
  readonly status: string;
  readonly answer?: SinkAnswer;
  readonly concealed?: number;
}

const testDirectory = new URL("../../../test/browser/", import.meta.url);
const shape = [16, 8, 8];
const checksumOf = (number: number) =>
  tensorChecksum(
    createTensor(
      "uint8",
      shape,
      Uint8Array.from({ length: 1024 }, (_, i) => (i * 31 + number * 7) & 0xff),
      "chw",
    ),
  );

/** 800 kB of integers, so that a sum says whether they are all there. */
const map = createTensor("int32", [200_000]);
for (let i = 0; i < map.data.length; i++) map.data[i] = (i * 7_919) % 10_007;
const mapServed: ServedStream<readonly Tensor[]> = {
  network: { run: async (frames) => frames.map(() => [map]) },
  answer: (outputs, frame) => answerOutputs(["map"], outputs, frame),
};
const mapSum = [...map.data].reduce((sum, value, i) => (sum + value * ((i % 1_000) + 1)) % 2_147_483_647, 0);
const wholeMap = { status: "delivered", name: "map", dtype: "int32", shape: [200_000], sum: mapSum };

async function startServer() {
  const transport: Http3Server = await listen({ port: 0, fallback: true });
  const sink = createSinkModel();
  const server = createServer({
    transport,
    openServedStream: async ({ model }) => (model === "map" ? mapServed : sink),
  });
  return { transport, server };
}

t.test("the client in Chromium", { skip: noChromium, timeout: 120_000 }, async (t) => {
  let running = await startServer();
  /** Where the page is told to connect to; relays and what swallows packets come in between. */
  let url = running.transport.url;
  const { files } = await bundle({
    code: await readFile(new URL("page.mjs", testDirectory), "utf8"),
    ...{ directory: fileURLToPath(new URL("../../../", import.meta.url)), external: ["@cornerstonejs/*"] },
  });
  const pages = await servePages((path) => {
    if (path === "/.well-known/sluice") {
      return JSON.stringify({ url, certificates: running.transport.certificates() });
    }
    return path === "/" ? "<!doctype html><title>client</title>" : files.get(path);
  });
  // For the WebSocket alone, which knows no certificate hashes.
  const browser = await openChromium({ args: ["--ignore-certificate-errors"] });
  t.teardown(async () => {
    await browser.close();
    await pages.close();
    await running.server.close();
  });
  const call = (name: string, ...parameters: unknown[]) =>
    browser.page.evaluate(
      `import("/entry.js").then((page) => page[${JSON.stringify(name)}](...${JSON.stringify(parameters)}))`,
    );
  const reload = () => browser.page.goto(`${pages.origin}/`);

  await t.test("datagrams through a lossy network, and a server that is started again", async (t) => {
    await reload();
    const target = { host: "127.0.0.1", port: Number(new URL(running.transport.url).port) };
    const lossy = { delayMs: 5, loss: 0.05 };
    const relay = await createRelay({
      listen: { host: "127.0.0.1", port: 0 },
      target,
      up: lossy,
      down: lossy,
      seed: 1,
    });
    url = `https://127.0.0.1:${relay.address.port}`;
    t.strictSame(await call("open", pages.origin), { mode: "datagram" });
    const outcomes = (await call("send", 100)) as Outcome[];
    const delivered = outcomes.filter(({ status }) => status === "delivered");
    t.ok(delivered.length > 50, `${delivered.length} of 100 delivered`);
    for (const [i, { status, answer, concealed }] of outcomes.entries()) {
      if (status === "delivered" && concealed === 0)
        t.equal(answer?.checksum, checksumOf(i), `frame ${i} as it was sent`);
    }

    for (const format of ["messagepack", "json"])
      t.same(await call("receiveMaps", 4, format), Array(4).fill(wholeMap), `large results, ${format}`);

    await running.server.close();
    await relay.close();
    running = await startServer();
    url = running.transport.url;
    t.ok(await call("sendUntilDelivered"), "the same stream goes on");
    const { events, figures, state } = (await call("report")) as {
      events: { name?: string; status?: string }[];
      figures: { sessions: number; offered: number; delivered: number; expired: number; dropped: number };
      state: string;
    };
    t.equal(state, "open");
    t.ok(figures.sessions >= 2, `${figures.sessions} sessions`);
    t.equal(
      figures.delivered + figures.expired + figures.dropped,
      figures.offered,
      "every frame is accounted for",
    );
    t.ok(
      events.some(({ status }) => status === "waiting"),
      "it said that the session was lost",
    );
    t.ok(
      events.every(({ name }) => name !== "websocket"),
      "and went on with WebTransport",
    );
  });

  await t.test("UDP blocked: a WebSocket, with what is lost by it", async (t) => {
    await reload();
    const swallows = createSocket("udp4");
    await new Promise<void>((resolve) => swallows.bind(0, "127.0.0.1", resolve));
    t.teardown(() => swallows.close());
    const blocked = `https://127.0.0.1:${(swallows.address() as AddressInfo).port}`;
    const fallback = running.transport.url.replace(/^https/, "wss");
    url = running.transport.url;
    t.strictSame(await call("open", pages.origin, { url: blocked, fallback, timeoutMs: 3_000 }), {
      mode: "stream",
    });
    const outcomes = (await call("send", 20)) as Outcome[];
    for (const [i, { status, answer }] of outcomes.entries()) {
      if (status === "delivered") t.equal(answer?.checksum, checksumOf(i));
    }
    t.ok(outcomes.some(({ status }) => status === "delivered"));
    t.same(await call("receiveMaps", 4, "messagepack"), Array(4).fill(wholeMap), "large results");
    const { events } = (await call("report")) as { events: object[] };
    t.match(
      events.find((event) => "name" in event),
      {
        name: "websocket",
        reason: /no WebTransport session within 1500 ms: UDP may be blocked/,
        lost: [/delays everything behind it/, /Nothing is concealed/],
      },
    );
    t.equal(await call("failure", blocked, { fallback: false, timeoutMs: 300 }), "timeout");
  });

  await t.test("WebTransport missing", async (t) => {
    await reload();
    await browser.page.evaluate("delete globalThis.WebTransport");
    const fallback = running.transport.url.replace(/^https/, "wss");
    t.strictSame(await call("open", pages.origin, { fallback }), { mode: "stream" });
    const { events } = (await call("report")) as { events: object[] };
    t.match(
      events.find((event) => "name" in event),
      { name: "websocket", reason: "WebTransport is missing in this browser" },
    );
    t.equal(await call("failure", running.transport.url, { fallback: false }), "engine");
  });

  await t.test("what cannot work is said at once", async (t) => {
    await reload();
    t.equal(await call("failure", running.transport.url, { certificateHashes: ["12"] }), "certificate");
    t.equal(await call("failure", "https://:1", { fallback: false }), "bad-url");
    const other = "0".repeat(64);
    const options = { certificateHashes: [other], fallback: false };
    t.equal(await call("failure", running.transport.url, options), "refused", "another certificate");
  });
});
