import { connect, createCertificate } from "@sluice/http3";
import type { ReceiveStream } from "@sluice/transport";
import t from "tap";
import { encodeErrorCode } from "#src/webtransport/error-code.js";
import { findDeno, runInDeno, startDenoServer } from "./deno-process.js";
import { startScenarioServer, TRANSFER_BYTES } from "./scenario-server.js";

const deno = findDeno();
const skip = deno === undefined ? "no Deno at $DENO or on the path" : false;
const path = deno?.path ?? "";
const encoder = new TextEncoder();

t.test("Deno as a client", { skip, timeout: 120_000 }, async (t) => {
  const { server, url, next } = await startScenarioServer();
  t.teardown(() => server.close());
  const run = (scenario: string, at: string, ...parameters: (string | number)[]) =>
    runInDeno(path, [scenario, url(at), server.certificateHash ?? "", ...parameters]);
  t.comment(deno?.version);

  await t.test("datagrams come back", async (t) => {
    const { echoed } = (await run("echoDatagrams", "/echo", 300)) as { echoed: number };
    t.ok(echoed >= 295, `${echoed} of 300`);
  });
  await t.test("unidirectional streams in both directions", async (t) => {
    t.equal(await run("echoUnidirectional", "/echo", "sluice"), "sluice");
  });
  await t.test("streams that the server opens", async (t) => {
    const observed = next("/ask");
    t.strictSame(await run("answerBidirectional", "/ask", 3), ["one", "two", "three"]);
    t.strictSame((await observed).seen, ["ONE", "TWO", "THREE"]);
  });
  await t.test("the server resets and stops, and Deno sees the codes as HTTP/3 carries them", async (t) => {
    const { resetCode, stopCode } = (await run("seeAbandoned", "/abandon")) as Record<string, string>;
    t.match(resetCode, String(encodeErrorCode(0x1234_5678)));
    t.match(stopCode, String(encodeErrorCode(99)));
  });
  // Deno ends no stream, not even one that was stopped, so none of the 256 that it may have open becomes free.
  await t.test("250 streams one after the other", async (t) => {
    t.equal(await run("openManyStreams", "/echo", 250), 250);
  });
  await t.test("Deno closes with code and reason", async (t) => {
    const observed = next("/waits");
    await run("closeSession", "/waits", 42, "done: \u00fc");
    t.strictSame(await (await observed).closed, { code: 42, reason: "done: \u00fc", by: "remote" });
  });
  await t.test("the server closes; Deno sees HTTP/3's H3_NO_ERROR in place of code and reason", async (t) => {
    t.strictSame(await run("seeClosed", "/closes"), { closeCode: 0x100, reason: "" });
  });
  await t.test("a refused session", async (t) => {
    t.equal(await run("seeRefused", "/nowhere"), "refused");
  });
  await t.test("reconnects", async (t) => {
    const expected = Array.from({ length: 10 }, (_, i) => `session ${i}`);
    t.strictSame(await run("reconnect", "/echo", 10), expected);
  });
  await t.test("64 MiB to the server", async (t) => {
    t.equal(await run("upload", "/upload", TRANSFER_BYTES), `${TRANSFER_BYTES} bytes, 0 wrong`);
  });
  await t.test("64 MiB to Deno", async (t) => {
    t.strictSame(await run("download", "/download"), { bytes: TRANSFER_BYTES, wrong: 0 });
  });
});

async function readBytes(stream: ReceiveStream, length: number): Promise<number> {
  let bytes = 0;
  while (bytes < length) {
    const part = await stream.read();
    if (part === undefined) break;
    bytes += part.byteLength;
  }
  return bytes;
}

t.test("Deno as a server", { skip, timeout: 60_000 }, async (t) => {
  const { cert, key, hash } = await createCertificate({ hosts: ["127.0.0.1"] });
  const server = await startDenoServer(path, cert, key);
  t.teardown(() => server.stop());
  const open = () =>
    connect(`https://127.0.0.1:${server.port}/`, {
      certificateHash: hash,
      engine: "quiche",
      timeoutMs: 5000,
    });

  await t.test("datagrams come back", async (t) => {
    const session = await open();
    const arrived = new Promise<Uint8Array>((resolve) =>
      session.onDatagrams(([first]) => first && resolve(first)),
    );
    t.equal(session.sendDatagram(Uint8Array.of(1, 2, 3)), "sent");
    t.strictSame([...(await arrived)], [1, 2, 3]);
    session.close();
    await server.line();
  });
  await t.test("streams come back, and Deno opens some", async (t) => {
    const session = await open();
    const { send, receive } = await session.openBidirectional();
    const bytes = 4 << 20;
    const [echoed] = await Promise.all([readBytes(receive, bytes), send.write(new Uint8Array(bytes))]);
    t.equal(echoed, bytes);
    const opened = new Promise<ReceiveStream>((resolve) => session.onUnidirectional(resolve));
    await (await session.openUnidirectional()).write(encoder.encode("one way"));
    t.equal(await readBytes(await opened, 7), 7);
    session.close();
    await server.line();
  });
  await t.test("Deno closes with code and reason", async (t) => {
    const session = await open();
    await (await session.openBidirectional()).send.write(encoder.encode("close\n"));
    t.strictSame(await session.closed, { code: 77, reason: "asked to", by: "remote" });
  });
});
