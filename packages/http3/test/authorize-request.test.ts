import { type Authorize, connect, type ListenOptions, listen } from "@sluice/http3";
import type { SessionRequest } from "@sluice/transport";
import t, { type Test } from "tap";
import { until } from "./until.js";

for (const engine of ["quiche", "websocket"] as const) {
  async function start(t: Test, authorize: Authorize, options: Partial<ListenOptions> = {}) {
    const logged: string[] = [];
    const server = await listen({
      ...{ port: 0, engine, authorize, ...options },
      log: (level, message, fields) => logged.push(`${level} ${message} ${JSON.stringify(fields)}`),
    });
    t.teardown(() => server.close());
    const open = (path = "/", headers: Record<string, string> = {}) =>
      connect(server.url + path, { engine, certificateHash: server.certificateHash, headers });
    return { server, logged, open };
  }

  t.test(`${engine}: it sees path, headers, origin and address before there is a session`, async (t) => {
    const seen: SessionRequest[] = [];
    let sessions = 0;
    const { server, open } = await start(t, (request) => {
      t.equal(sessions, 0);
      seen.push(request);
      return request.headers.get("origin") === "https://app.example" ? true : 403;
    });
    server.onSession(() => {
      sessions += 1;
    });
    const headers = { authorization: "Bearer x", origin: "https://app.example" };
    const rejected = { name: "ConnectError", kind: "rejected", message: /403/ } as const;
    await t.rejects(open("/a?b=1", { ...headers, origin: "https://evil.example" }), rejected);
    t.match(server.stats().refused, { unauthorized: 1 });
    const session = await open("/a?b=1", headers);
    await until(() => sessions === 1);
    t.equal(seen.length, 2);
    const { path, authority, remoteAddress, headers: got } = seen[1] as SessionRequest;
    t.strictSame([path, `https://${authority}`], ["/a?b=1", server.url]);
    t.match(remoteAddress, /^127\.0\.0\.1:\d+$/);
    t.equal(got.get("authorization"), "Bearer x");
    session.close();
  });

  t.test(
    `${engine}: pages of other origins get 403 before it is asked, what is no page is let through`,
    async (t) => {
      let asked = 0;
      const authorize = () => {
        asked += 1;
        return true as const;
      };
      const { server, logged, open } = await start(t, authorize, { origins: ["https://*.app.example"] });
      for (const origin of ["https://evil.example", "null", `https://${"a".repeat(2_000)}.example`]) {
        await t.rejects(open("/", { origin }), { name: "ConnectError", kind: "rejected", message: /403/ });
      }
      t.equal(asked, 0);
      t.match(server.stats().refused, { origin: 3, unauthorized: 0 });
      t.match(
        logged.filter((line) => line.startsWith("warn"))[0],
        /origin that is not allowed.*https:\/\/evil/,
      );
      t.ok(
        logged.every((line) => line.length < 500),
        "what a stranger writes is cut in the log",
      );
      (await open("/", { origin: "https://one.app.example" })).close();
      (await open()).close();
      t.equal(asked, 2);
    },
  );

  t.test(`${engine}: it may take its time`, async (t) => {
    let decide: (answer: true | number) => void = () => {};
    const { server, open } = await start(t, () => new Promise((resolve) => (decide = resolve)));
    let isOpen = false;
    const opening = open().then((session) => {
      isOpen = true;
      return session;
    });
    const first = decide;
    await until(() => decide !== first);
    t.equal(isOpen, false);
    decide(true);
    (await opening).close();

    const before = decide;
    const refused = open();
    await until(() => decide !== before);
    decide(418);
    await t.rejects(refused, { name: "ConnectError", kind: "rejected", message: /418/ });
    t.match(server.stats().refused, { unauthorized: 1 });
  });

  t.test(`${engine}: but not for ever`, async (t) => {
    const { server, logged, open } = await start(t, () => new Promise(() => {}), { authorizeTimeoutMs: 50 });
    await t.rejects(open(), { name: "ConnectError", kind: "rejected", message: /503/ });
    t.match(server.stats().refused, { "authorize-timeout": 1 });
    t.match(
      logged.filter((line) => line.startsWith("error")),
      [/authorize took too long.*"timeoutMs":50/],
    );
  });

  t.test(`${engine}: where it fails nobody gets in, and it is logged`, async (t) => {
    const answers: Record<string, () => true | number | Promise<true | number>> = {
      "/throws": () => {
        throw new Error("broken");
      },
      "/rejects": () => Promise.reject(new Error("broken")),
      "/ok": () => 200,
      "/undefined": () => undefined as unknown as true,
      "/false": () => false as unknown as true,
      "/null": () => null as unknown as true,
      "/text": () => "yes" as unknown as true,
    };
    const { server, logged, open } = await start(t, ({ path }) => (answers[path] as () => true)());
    const paths = Object.keys(answers);
    for (const path of paths) {
      await t.rejects(open(path), { name: "ConnectError", kind: "rejected", message: /500/ }, path);
    }
    t.match(server.stats().refused, { "authorize-failed": paths.length });
    t.equal(logged.filter((line) => line.startsWith("error authorize failed")).length, paths.length);
  });

  t.test(`${engine}: a client that leaves during the decision leaves nothing behind`, async (t) => {
    let decide: ((answer: true) => void) | undefined;
    const { server } = await start(t, () => new Promise((resolve) => (decide = resolve)));
    let sessions = 0;
    server.onSession(() => {
      sessions += 1;
    });
    const abort = new AbortController();
    const opening = connect(server.url, {
      ...{ engine, certificateHash: server.certificateHash, timeoutMs: 300, signal: abort.signal },
    });
    await until(() => decide !== undefined);
    await t.rejects(opening, { name: "ConnectError", kind: "timeout" });
    await until(() => server.stats().engines[0]?.connections === 0);
    decide?.(true);
    const again = connect(server.url, { engine, certificateHash: server.certificateHash });
    const before = decide;
    await until(() => decide !== before);
    decide?.(true);
    (await again).close();
    await until(() => sessions > 0);
    t.equal(sessions, 1);
  });
}
