/** The examples of packages/client/examples, as they are, against `sluice serve`. */
import { spawnSync } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { noChromium, openChromium, servePages } from "@sluice/chromium-test";
import t from "tap";
import { startServer } from "./start-server.js";

const client = fileURLToPath(new URL("../../../client/", import.meta.url));
const run = (path: string, ...args: string[]) =>
  spawnSync(process.execPath, [join(client, "examples", path), ...args], {
    encoding: "utf8",
    timeout: 60_000,
  });

t.test("the client's examples", { timeout: 150_000 }, async (t) => {
  const [, { metricsUrl }] = await startServer(t, ["--log-level", "silent"]);

  await t.test("Node", async (t) => {
    const { status, stdout, stderr } = run("node.mjs", metricsUrl);
    t.equal(status, 0, stderr);
    t.match(stdout, /^\d+ delivered [A-Z]/m);
    t.equal(stdout.trim().split("\n").length, 30);
  });

  const untilAnswer = async (path: string, read: (path: string) => Promise<Uint8Array>) => {
    const pages = await servePages(read);
    const browser = await openChromium();
    try {
      await browser.page.goto(
        `${pages.origin}${path}?library=/standalone&server=${encodeURIComponent(metricsUrl)}`,
      );
      const found = await browser.page.waitForFunction(
        `/ ms/.test(document.querySelector("#answer").textContent) && document.querySelector("#answer").textContent`,
        undefined,
        { timeout: 60_000 },
      );
      return (await found.jsonValue()) as string;
    } finally {
      await browser.close();
      await pages.close();
    }
  };

  await t.test("a single HTML file", { skip: noChromium }, async (t) => {
    const answer = await untilAnswer("/single-file.html", (path) =>
      readFile(join(client, path.startsWith("/standalone/") ? "dist" : "examples", path)),
    );
    t.match(answer, /^[A-Z].*, after \d+ ms$/);
  });

  await t.test("a browser with a bundler", { skip: noChromium }, async (t) => {
    const folder = await mkdtemp(join(tmpdir(), "sluice-example-"));
    t.teardown(() => rm(folder, { recursive: true, force: true }));
    const { status, stderr } = run("bundler/build.mjs", folder);
    t.equal(status, 0, stderr);
    const answer = await untilAnswer("/index.html", (path) => readFile(join(folder, path)));
    t.match(answer, /^[A-Z].*, \d+ ms, \d+ % concealed$/);
  });
});
