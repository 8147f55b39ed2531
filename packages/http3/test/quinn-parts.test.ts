import { ConnectError } from "@sluice/transport";
import t from "tap";
import { PacedQueue } from "#src/quinn/paced-queue.js";
import { classifyConnectError, toCloseInfo, toStreamError } from "#src/quinn/quinn-error.js";
import {
  loadQuinnModule,
  type NativeReceiveStream,
  type NativeSendStream,
  type NativeSession,
  type Platform,
} from "#src/quinn/quinn-module.js";
import { QuinnSession } from "#src/quinn/quinn-session.js";
import { QuinnReceiveStream, QuinnSendStream } from "#src/quinn/quinn-stream.js";
import { UnknownHeaders } from "#src/quinn/unknown-headers.js";

function loadError(failure: Error, platform: Partial<Platform> = {}): string {
  const fail = () => {
    throw failure;
  };
  try {
    loadQuinnModule(fail, { os: "linux", cpu: "x64", glibcVersion: () => "2.36", ...platform });
  } catch (error) {
    if (error instanceof ConnectError && error.kind === "engine") return error.message;
    throw error;
  }
  return "loaded";
}

const withCode = (code: string, message: string) => Object.assign(new Error(message), { code });

t.test("why the binary does not load is said", async (t) => {
  const linker = withCode(
    "ERR_DLOPEN_FAILED",
    "/lib/x86_64-linux-gnu/libc.so.6: version `GLIBC_2.38' not found (required by x.node)",
  );
  t.match(
    loadError(linker),
    /linux-x64-gnu needs glibc 2\.38 \(Debian 13, Ubuntu 24\.04 or newer\); the one here is 2\.36/,
  );
  const missing = withCode("MODULE_NOT_FOUND", "Cannot find module\nRequire stack");
  t.match(loadError(missing), /is not installed: npm install @moq\/web-transport-linux-x64-gnu@0\.1\.4$/);
  t.match(loadError(missing, { glibcVersion: () => undefined }), /needs glibc, of which there is none/);
  t.match(loadError(missing, { os: "darwin", cpu: "arm64" }), /web-transport-darwin-arm64 is not installed/);
  t.match(loadError(withCode("X", "broken\nmore"), { os: "win32" }), /win32-x64-msvc does not load: broken$/);
  t.match(loadError(missing, { os: "sunos" }), /no binary of quinn for sunos-x64, only for linux-x64, /);
  t.throws(() => loadQuinnModule(() => ({}), { os: "linux", cpu: "x64", glibcVersion: () => "2.41" }), {
    message: /not of version 0\.1\.4/,
  });
});

t.test("texts of the binding become errors", async (t) => {
  const cases: [string, string, number][] = [
    ["RESET_STREAM: 4294967295", "reset", 4_294_967_295],
    ["STOP_SENDING: 0", "stopped", 0],
    ["invalid RESET_STREAM: 256", "reset", 0],
    ["invalid STOP_SENDING: 256", "stopped", 0],
    ["session error: connection error: closed", "closed", 0],
    ["session error: webtransport error: closed: code=7 reason=RESET_STREAM: 5", "closed", 0],
  ];
  for (const [text, kind, code] of cases) t.match(toStreamError(new Error(text)), { kind, code }, text);

  t.strictSame(toCloseInfo(7, "bye"), { code: 7, reason: "bye", by: "remote" });
  t.strictSame(toCloseInfo(0, ""), { code: 0, reason: "", by: "remote" });
  t.strictSame(toCloseInfo(0, "connection error: timed out"), {
    ...{ code: 0, reason: "timed out", by: "transport" },
  });
  t.match(toCloseInfo(0, "connection error: closed"), { by: "transport", reason: /without a reason/ });

  t.strictSame(
    classifyConnectError("failed to exchange h3 connect: protocol error: expected 200, got: Some(403)"),
    {
      kind: "rejected",
      status: 403,
    },
  );
  t.equal(classifyConnectError("connection error: timed out").kind, "timeout");
  t.equal(
    classifyConnectError("connection error: error 48: invalid peer certificate: UnknownIssuer").kind,
    "certificate",
  );
  t.equal(classifyConnectError("invalid DNS name: x").kind, "refused");
});

t.test("the queue is bounded, and lets go at its pace", async (t) => {
  const queue = new PacedQueue();
  const datagram = new Uint8Array(2048);
  let added = 0;
  while (queue.add(datagram)) added += 1;
  t.equal(added, 512);
  t.equal(queue.take(1000).length, 256, "a burst of 512 KiB");
  t.equal(queue.take(1000).length, 0, "no time, no datagrams");
  t.equal(queue.take(1001).length, 32, "64,000 bytes in a millisecond");
  t.equal(queue.take(900).length, 0, "a clock that goes back is no time");
  t.equal(queue.length, 224);
  t.equal(queue.take(5000).length, 224, "the burst is there again after a pause");
  queue.add(datagram);
  queue.clear();
  t.equal(queue.length, 0);
});

/** A native session on which nothing arrives; `sendDatagram` fails as `refusal` says. */
function createNativeSession(refusal: () => string | undefined) {
  const calls: string[] = [];
  const never = <T>() => new Promise<T>(() => {});
  let settle = (_: { closeCode: number; reason: string }) => {};
  const native: NativeSession = {
    acceptUni: never,
    acceptBi: never,
    openUni: never,
    openBi: never,
    recvDatagram: never,
    sendDatagram(data) {
      if (data.byteLength > 1400) throw new Error(refusal() ?? "send datagram error: datagram too large");
      calls.push(`datagram ${data.byteLength}`);
    },
    maxDatagramSize() {
      calls.push("maxDatagramSize");
      return 1400;
    },
    close: (code, reason) => calls.push(`close ${code} ${reason}`),
    closed: () =>
      new Promise((resolve) => {
        settle = resolve;
      }),
  };
  return { native, calls, settle: (code: number, reason: string) => settle({ closeCode: code, reason }) };
}

t.test("a peer without datagrams is never asked for their size, which would end the process", async (t) => {
  const { native, calls } = createNativeSession(() => "send datagram error: datagrams not supported by peer");
  const session = new QuinnSession(native);
  t.equal(session.maxDatagramBytes, 0);
  t.equal(session.sendDatagram(new Uint8Array(0)), "too-big");
  session.close();
  t.strictSame(calls, ["close 0 "]);
});

t.test("datagrams leave in order and before the close", async (t) => {
  const { native, calls } = createNativeSession(() => undefined);
  const session = new QuinnSession(native);
  for (let size = 1; size <= 3; size++) t.equal(session.sendDatagram(new Uint8Array(size)), "sent");
  t.equal(session.sendDatagram(new Uint8Array(1401)), "too-big");
  t.equal(session.stats().datagramsQueued, 3);
  session.close(9, "ü".repeat(600));
  const sent = calls.filter((call) => call !== "maxDatagramSize");
  t.strictSame(sent.slice(0, 3), ["datagram 1", "datagram 2", "datagram 3"]);
  t.equal(sent[3], `close 9 ${"ü".repeat(512)}`, "1,024 bytes of reason at the most");
  t.match(await session.closed, { code: 9, by: "local" });
  t.equal(session.sendDatagram(new Uint8Array(1)), "closed");
});

t.test("the binding's end is the session's", async (t) => {
  const { native, settle } = createNativeSession(() => undefined);
  const session = new QuinnSession(native);
  settle(0, "connection error: timed out");
  t.strictSame(await session.closed, { code: 0, reason: "timed out", by: "transport" });
  await t.rejects(session.openUnidirectional(), { name: "StreamError", kind: "closed" });
});

/** A native stream whose calls wait until they are settled by hand, one after another as in the binding. */
function createNativeSend() {
  const calls: string[] = [];
  const waiting: { resolve(): void; reject(error: Error): void }[] = [];
  const wait = (call: string) => {
    calls.push(call);
    return new Promise<void>((resolve, reject) => waiting.push({ resolve, reject }));
  };
  const native: NativeSendStream = {
    write: (data) => wait(`write ${data.byteLength}`),
    finish: () => wait("finish"),
    reset: (code) => wait(`reset ${code}`),
  };
  return { native, calls, waiting };
}

const settled = () => new Promise((resolve) => setImmediate(resolve));

t.test("a reset ends writes at once and waits for one piece only", async (t) => {
  const { native, calls, waiting } = createNativeSend();
  let done = 0;
  const stream = new QuinnSendStream(native, () => {
    done += 1;
  });
  const first = stream.write(new Uint8Array(100_000));
  const second = stream.write(new Uint8Array(10));
  await settled();
  t.strictSame(calls, ["write 65536"]);
  stream.reset(7);
  await t.rejects(first, { kind: "reset", code: 7 });
  await t.rejects(second, { kind: "reset", code: 7 });
  waiting[0]?.resolve();
  await settled();
  t.strictSame(calls, ["write 65536", "reset 7"], "nothing is written after it");
  await t.rejects(stream.finish(), { kind: "reset", code: 7 });
  t.equal(done, 1);
});

t.test("an end that was handed over is not lost to the session's end", async (t) => {
  const { native, waiting } = createNativeSend();
  const stream = new QuinnSendStream(native, () => {});
  const finishing = stream.finish();
  await settled();
  stream.end();
  waiting[0]?.resolve();
  await finishing;
  const unfinished = new QuinnSendStream(createNativeSend().native, () => {});
  unfinished.end();
  await t.rejects(unfinished.finish(), { name: "StreamError", kind: "closed" });
});

t.test("a stop is told to the writer and answered with its code", async (t) => {
  const { native, calls, waiting } = createNativeSend();
  const stream = new QuinnSendStream(native, () => {});
  const write = stream.write(new Uint8Array(5));
  await settled();
  waiting[0]?.reject(new Error("STOP_SENDING: 30"));
  await t.rejects(write, { kind: "stopped", code: 30 });
  t.strictSame(calls, ["write 5", "reset 30"]);
});

t.test("a stop ends the pending read; what still comes is nobody's", async (t) => {
  let arrive = (_: Buffer | null) => {};
  const stops: number[] = [];
  const native: NativeReceiveStream = {
    read: () =>
      new Promise((resolve) => {
        arrive = resolve;
      }),
    stop: async (code) => {
      stops.push(code);
    },
  };
  const stream = new QuinnReceiveStream(native, () => {});
  const read = stream.read();
  await t.rejects(stream.read(), /already pending/);
  stream.stop(4);
  await t.rejects(read, { kind: "stopped", code: 4 });
  arrive(Buffer.from("late"));
  await settled();
  await t.rejects(stream.read(), { kind: "stopped", code: 4 });
  t.strictSame(stops, [4]);
});

t.test("headers that are not told are not absent", async (t) => {
  const headers = new UnknownHeaders();
  for (const read of [() => headers.get(), () => headers.has(), () => headers.size, () => [...headers]]) {
    t.throws(read, /does not tell a request's headers/);
  }
});
