import { createSocket } from "node:dgram";
import { connect, engineNames, type Log, listen, selectEngine } from "@sluice/http3";
import { ConnectError } from "@sluice/transport";
import t from "tap";
import { closestName } from "#src/closest-name.js";
import { startServer } from "./open-pair.js";

t.test("an unknown engine is named, with the nearest known one", async (t) => {
  const cases: [string, RegExp][] = [
    ["quihce", /unknown engine "quihce", did you mean quiche\?/],
    ["WebSockets", /did you mean websocket\?/],
    ["quin", /did you mean quinn\?/],
    ["fail", /did you mean fails\?/],
    ["nothing", /unknown engine "nothing" \(known: auto, quinn, quiche, fails, websocket\)/],
    ["toString", /unknown engine/],
  ];
  for (const [name, message] of cases) {
    await t.rejects(selectEngine(name as "auto"), { name: "ConnectError", kind: "engine", message });
    await t.rejects(connect("https://127.0.0.1:1/", { engine: name as "auto" }), { kind: "engine", message });
    await t.rejects(listen({ port: 0, engine: name as "auto" }), { kind: "engine", message });
  }
});

t.test("every name but that of a missing package selects its engine", async (t) => {
  t.strictSame([...engineNames], ["auto", "quinn", "quiche", "fails", "websocket"]);
  t.equal((await selectEngine("quiche")).name, "quiche");
  t.equal((await selectEngine("websocket")).name, "websocket");
});

t.test("auto says what it picked", async (t) => {
  const logged: unknown[] = [];
  const engine = await selectEngine("auto", {
    log: (level, message, fields) => logged.push({ level, message, fields }),
  });
  t.equal(engine.name, "quiche");
  t.strictSame(logged, [
    { level: "debug", message: "engine picked", fields: { engine: "quiche", passedOver: [] } },
  ]);
  logged.length = 0;
  await selectEngine("quiche", { log: (...entry) => logged.push(entry) });
  t.strictSame(logged, [], "nothing was picked where a name was given");
});

t.test(
  "auto for a server: quinn where it loads and can do what is asked for, otherwise why not",
  async (t) => {
    const logged: { engine: string; passedOver: { engine: string; reason: string }[] }[] = [];
    const log: Log = (_, __, fields) => logged.push(fields as unknown as (typeof logged)[0]);
    const whyNot = await selectEngine("quinn").then(
      () => undefined,
      (error: Error) => error.message,
    );
    const plain = await selectEngine("auto", { log, listen: {} });
    t.equal(plain.name, whyNot === undefined ? "quinn" : "quiche");
    const passedOver = logged[0]?.passedOver ?? [];
    t.strictSame(
      passedOver.map(({ engine }) => engine),
      whyNot === undefined ? [] : ["quinn"],
    );
    if (whyNot !== undefined) t.ok(whyNot.includes(passedOver[0]?.reason ?? "no reason"));

    const asked = await selectEngine("auto", { log, listen: { retry: "always" } });
    t.equal(asked.name, "quiche");
    t.equal(logged[1]?.passedOver[0]?.engine, "quinn");
    if (whyNot === undefined) t.match(logged[1]?.passedOver[0]?.reason, /retry always \(it sends no Retry\)/);
  },
);

t.test("names are near or far", async (t) => {
  t.equal(closestName("quiche", engineNames), "quiche");
  t.equal(closestName("quicke", engineNames), "quiche");
  t.equal(closestName("", engineNames), undefined);
  t.equal(closestName("x".repeat(10_000), engineNames), undefined);
});

t.test("with fallback, a client behind blocked UDP comes in over TCP", async (t) => {
  const { server } = await startServer({ engine: "websocket" });
  t.teardown(() => server.close());
  const certificateHash = server.certificateHash ?? "";
  // Whoever sends UDP there gets no answer, as behind a firewall.
  const silent = createSocket("udp4");
  await new Promise<void>((resolve) => silent.bind(Number(new URL(server.url).port), "127.0.0.1", resolve));
  t.teardown(() => silent.close());
  const error = await connect(server.url, { certificateHash, timeoutMs: 300 }).catch((e: unknown) => e);
  t.ok(error instanceof ConnectError && error.kind === "timeout", "not without being asked");

  const logged: [string, string][] = [];
  const session = await connect(server.url, {
    certificateHash,
    fallback: true,
    timeoutMs: 2000,
    log: (level, message) => logged.push([level, message]),
  });
  t.equal(session.maxDatagramBytes, 0);
  t.strictSame(logged, [
    ["debug", "engine picked"],
    ["warn", "falling back to websocket"],
  ]);
  session.close();
  await session.closed;
});

t.test("with fallback, both failures are told", async (t) => {
  const free = createSocket("udp4");
  await new Promise<void>((resolve) => free.bind(0, "127.0.0.1", resolve));
  const { port } = free.address();
  await new Promise<void>((resolve) => free.close(() => resolve()));
  await t.rejects(connect(`https://127.0.0.1:${port}/`, { insecure: true, fallback: true }), {
    kind: "refused",
    message: /nothing listens at .*; and with websocket: nothing listens at/,
  });
});

t.test("a server that refuses or has another certificate is not asked again over TCP", async (t) => {
  const { server } = await startServer({ fallback: true, authorize: () => 403 });
  t.teardown(() => server.close());
  const logged: string[] = [];
  const options = { fallback: true, log: (_: unknown, message: string) => logged.push(message) };
  await t.rejects(connect(server.url, { ...options, certificateHash: server.certificateHash ?? "" }), {
    name: "ConnectError",
    kind: "rejected",
  });
  await t.rejects(connect(server.url, { ...options, certificateHash: "0".repeat(64) }), {
    name: "ConnectError",
    kind: "certificate",
  });
  t.notOk(logged.includes("falling back to websocket"));
});
