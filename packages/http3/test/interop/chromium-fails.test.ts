import { noChromium } from "@sluice/chromium-test";
import { selectEngine } from "@sluice/http3";
import t from "tap";
import { openChromiumPage } from "./chromium-page.js";
import { startScenarioServer, TRANSFER_BYTES } from "./scenario-server.js";

const missing = await selectEngine("fails").then(
  () => false as const,
  (error: unknown) => String(error),
);

t.test(
  "Chromium against a server of @fails-components/webtransport",
  {
    skip: noChromium || missing,
    timeout: 120_000,
  },
  async (t) => {
    const { server, url, next } = await startScenarioServer("fails");
    t.teardown(() => server.close());
    const page = await openChromiumPage();
    t.teardown(() => page.close());
    const run = (scenario: string, path: string, ...parameters: (string | number)[]) =>
      page.run(scenario, url(path), server.certificateHash ?? "", ...parameters);
    const text = "sluice ".repeat(100_000);
    t.match(await run("echoDatagrams", "/echo", 300), { maxDatagramSize: Number });
    t.equal(await run("echoBidirectional", "/echo", text), text, "a bidirectional stream");
    t.equal(await run("echoUnidirectional", "/echo", text), text, "a unidirectional stream each way");
    t.strictSame(await run("answerBidirectional", "/ask", 3), ["one", "two", "three"]);
    const abandoned = next("/see-abandoned");
    await run("abandonStreams", "/see-abandoned", 7, 255);
    t.strictSame([...(await abandoned).seen].sort(), ["reset: reset 7", "stop: stopped 255"]);
    t.strictSame(await run("seeAbandoned", "/abandon"), {
      // The library cuts codes to 255.
      resetCode: { source: "stream", code: 255 },
      stopCode: { source: "stream", code: 99 },
    });
    t.equal(await run("openManyStreams", "/echo", 300), 300, "streams one after the other");
    const waiting = next("/waits");
    await run("closeSession", "/waits", 42, "page is done: \u00fc");
    t.strictSame(await (await waiting).closed, { code: 42, reason: "page is done: \u00fc", by: "remote" });
    t.strictSame(await run("seeClosed", "/closes"), {
      closeCode: 4711,
      reason: "the server is done: \u00fc",
    });
    t.equal(await run("seeRefused", "/nowhere"), "refused");
    t.equal(await run("upload", "/upload", TRANSFER_BYTES), `${TRANSFER_BYTES} bytes, 0 wrong`);
    t.strictSame(await run("download", "/download"), { bytes: TRANSFER_BYTES, wrong: 0 });
  },
);
