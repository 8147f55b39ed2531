import { noChromium } from "@sluice/chromium-test";
import t from "tap";
import { whyMissing } from "../why-missing.js";
import { openChromiumPage } from "./chromium-page.js";
import { startScenarioServer, TRANSFER_BYTES } from "./scenario-server.js";

for (const engine of ["quiche", "quinn"] as const) {
  t.test(
    `Chromium, server on ${engine}`,
    {
      skip: noChromium || (await whyMissing(engine)),
      timeout: 120_000,
    },
    async (t) => {
      const { server, url, next, origins } = await startScenarioServer(engine);
      t.teardown(() => server.close());
      const page = await openChromiumPage();
      t.teardown(() => page.close());
      const hash = server.certificateHash ?? "";
      const run = (scenario: string, path: string, ...parameters: (string | number)[]) =>
        page.run(scenario, url(path), hash, ...parameters);
      t.comment(`Chromium ${page.version}`);

      await t.test("datagrams come back", async (t) => {
        const result = (await run("echoDatagrams", "/echo", 300)) as {
          echoed: number;
          maxDatagramSize: number;
        };
        t.ok(result.echoed >= 240, `${result.echoed} of 300`);
        t.ok(result.maxDatagramSize >= 1000, `at most ${result.maxDatagramSize} bytes`);
      });
      await t.test("bidirectional streams come back", async (t) => {
        const text = "sluice ".repeat(100_000);
        t.equal(await run("echoBidirectional", "/echo", text), text);
        t.equal(await run("echoBidirectional", "/echo", ""), "");
      });
      await t.test("unidirectional streams in both directions", async (t) => {
        const text = "sluice ".repeat(10_000);
        t.equal(await run("echoUnidirectional", "/echo", text), text);
      });
      await t.test("streams that the server opens", async (t) => {
        const observed = next("/ask");
        t.strictSame(await run("answerBidirectional", "/ask", 3), ["one", "two", "three"]);
        const { seen, closed } = await observed;
        t.match(await closed, { by: "remote" });
        t.strictSame(seen, ["ONE", "TWO", "THREE"]);
      });
      await t.test("the page resets and stops, and the server sees its codes", async (t) => {
        const observed = next("/see-abandoned");
        await run("abandonStreams", "/see-abandoned", 7, 255);
        t.strictSame([...(await observed).seen].sort(), ["reset: reset 7", "stop: stopped 255"]);
      });
      await t.test("the server resets and stops, and the page sees its codes", async (t) => {
        t.strictSame(await run("seeAbandoned", "/abandon"), {
          resetCode: { source: "stream", code: 0x1234_5678 },
          stopCode: { source: "stream", code: 99 },
        });
      });
      await t.test("1,000 streams one after the other", async (t) => {
        t.equal(await run("openManyStreams", "/echo", 1000), 1000);
      });
      await t.test("the page closes with code and reason", async (t) => {
        const observed = next("/waits");
        await run("closeSession", "/waits", 42, "page is done: \u00fc");
        t.strictSame(await (await observed).closed, {
          code: 42,
          reason: "page is done: \u00fc",
          by: "remote",
        });
      });
      await t.test("the server closes with code and reason", async (t) => {
        t.strictSame(await run("seeClosed", "/closes"), {
          closeCode: 4711,
          reason: "the server is done: \u00fc",
        });
      });
      await t.test("a refused session", async (t) => {
        t.equal(await run("seeRefused", "/nowhere"), "refused");
      });
      // quinn's binding tells nothing of the request but its path.
      if (engine !== "quinn") {
        await t.test("authorize sees the page's origin", async (t) => {
          t.strictSame([...origins], [page.origin]);
        });
      }
      await t.test("reconnects", async (t) => {
        const expected = Array.from({ length: 10 }, (_, i) => `session ${i}`);
        t.strictSame(await run("reconnect", "/echo", 10), expected);
      });
      await t.test("64 MiB to the server", async (t) => {
        const startMs = performance.now();
        t.equal(await run("upload", "/upload", TRANSFER_BYTES), `${TRANSFER_BYTES} bytes, 0 wrong`);
        t.comment(`${Math.round(TRANSFER_BYTES / 1000 / (performance.now() - startMs))} MB/s`);
      });
      await t.test("64 MiB to the page", async (t) => {
        const startMs = performance.now();
        t.strictSame(await run("download", "/download"), { bytes: TRANSFER_BYTES, wrong: 0 });
        t.comment(`${Math.round(TRANSFER_BYTES / 1000 / (performance.now() - startMs))} MB/s`);
      });
    },
  );
}
