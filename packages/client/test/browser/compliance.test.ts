/** The rules of a session, with the browser's own WebTransport at both ends. */
import { fileURLToPath } from "node:url";
import { bundle, noChromium, openChromium, servePages } from "@sluice/chromium-test";
import { listen } from "@sluice/http3";
import { complianceCases, type Session } from "@sluice/transport";
import t from "tap";
import { bridgeSessions } from "./session-bridge.js";

const code = `
import { complianceCases } from "@sluice/transport";
import { connect } from "@sluice/client/browser";
export async function run(url, hash, index) {
  const open = () => connect(url, { certificateHashes: [hash], fallback: false });
  const pair = { client: await open(), server: await open() };
  try {
    await complianceCases[index].run(pair);
    return "passed";
  } catch (error) {
    return String(error.stack ?? error);
  } finally {
    pair.client.close();
    pair.server.close();
  }
}`;

/** What Chromium (156) does not do, by what a case needs or by its name. */
const lacks: Readonly<Record<string, string>> = {
  "empty-datagrams": "Chromium cannot send an empty datagram",
  "wide-codes": "Chromium cuts codes to 255",
  "a stop carries its code to the writer": "Chromium does not always tell the code of a stop",
};

t.test("compliance in Chromium", { skip: noChromium, timeout: 150_000 }, async (t) => {
  const { files } = await bundle({
    ...{
      code,
      directory: fileURLToPath(new URL("../../../", import.meta.url)),
      external: ["@cornerstonejs/*"],
    },
  });
  const pages = await servePages((path) =>
    path === "/" ? "<!doctype html><title>compliance</title>" : files.get(path),
  );
  const server = await listen({ port: 0 });
  let waiting: Session | undefined;
  server.onSession((session) => {
    if (waiting) bridgeSessions(waiting, session);
    waiting = waiting ? undefined : session;
  });
  const browser = await openChromium();
  t.teardown(async () => {
    await browser.close();
    await pages.close();
    await server.close();
  });
  await browser.page.goto(`${pages.origin}/`);
  for (const [index, { name, needs }] of complianceCases.entries()) {
    const skip = lacks[name] ?? (needs && lacks[needs]) ?? false;
    await t.test(name, { skip }, async (t) => {
      const parameters = JSON.stringify([server.url, server.certificateHash, index]).slice(1, -1);
      const result = await browser.page.evaluate(`import("/entry.js").then(({ run }) => run(${parameters}))`);
      t.equal(result, "passed");
    });
  }
});
