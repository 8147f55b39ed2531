import { createSocket, type Socket } from "node:dgram";
import { once } from "node:events";
import t, { type Test } from "tap";
import { type RunningSluice, startSluice } from "./run-sluice.js";

/** A server that sends back what it gets. */
async function startEcho(t: Test): Promise<number> {
  const socket = createSocket("udp4");
  socket.on("message", (message, from) => socket.send(message, from.port, from.address));
  socket.bind(0, "127.0.0.1");
  await once(socket, "listening");
  t.teardown(() => socket.close());
  return socket.address().port;
}

async function startRelay(
  t: Test,
  options: readonly string[],
  to?: string,
): Promise<[RunningSluice, number]> {
  const target = to ?? `127.0.0.1:${await startEcho(t)}`;
  const relay = startSluice(["relay", "--listen", "127.0.0.1:0", "--target", target, "--json", ...options]);
  t.teardown(() => relay.kill("SIGKILL"));
  const ready = JSON.parse(await relay.line((line) => line.includes('"listening"')));
  t.match(ready, { event: "listening", target, address: /^127\.0\.0\.1:\d+$/ });
  return [relay, Number(ready.address.split(":")[1])];
}

async function ask(socket: Socket, port: number, text: string): Promise<string> {
  const answer = once(socket, "message");
  socket.send(text, port, "127.0.0.1");
  const [message] = await answer;
  return String(message);
}

for (const signal of ["SIGINT", "SIGTERM"] as const) {
  t.test(`relays until ${signal}, then says what it counted`, async (t) => {
    const [relay, port] = await startRelay(t, ["--delay", "5ms"]);
    const client = createSocket("udp4");
    t.teardown(() => client.close());
    for (const text of ["one", "two", "three"]) t.equal(await ask(client, port, text), text);
    relay.kill(signal);
    const run = await relay.ended;
    t.equal(run.code, 0);
    t.equal(run.stderr, "");
    const lines = run.stdout.trim().split("\n");
    t.equal(lines.length, 2);
    t.match(JSON.parse(lines[1]!), {
      event: "closed",
      up: { offered: 3, forwarded: 3, droppedLoss: 0 },
      down: { offered: 3, forwarded: 3, droppedLoss: 0 },
      peers: 1,
    });
  });
}

/** Sends numbers until one from `count` on comes back; resolves to the ones below it that came back. */
async function survivors(t: Test, port: number, count: number): Promise<number[]> {
  const client = createSocket("udp4");
  t.teardown(() => client.close());
  const back: number[] = [];
  for (let n = 0; ; n++) {
    // Nothing is reordered: when a later one is there, all that come are.
    const answer = once(client, "message", { signal: AbortSignal.timeout(n < count ? 20 : 50) });
    client.send(String(n), port, "127.0.0.1");
    const [message] = await answer.catch(() => []);
    if (message === undefined) continue;
    if (Number(message) >= count) return back;
    back.push(Number(message));
  }
}

t.test("--rebind gives the client new ports at the server, and its packets still come back", async (t) => {
  const server = createSocket("udp4");
  server.on("message", (_, from) => server.send(String(from.port), from.port, from.address));
  server.bind(0, "127.0.0.1");
  await once(server, "listening");
  t.teardown(() => server.close());
  const target = `127.0.0.1:${server.address().port}`;
  const [, port] = await startRelay(t, ["--rebind", "50ms"], target);
  const client = createSocket("udp4");
  t.teardown(() => client.close());
  const ports = new Set<string>();
  client.on("message", (message) => ports.add(String(message)));
  // An answer to a port that is just being given up is lost, as with a NAT.
  while (ports.size < 3) {
    client.send("which port?", port, "127.0.0.1");
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  t.equal(ports.size, 3);
});

t.test("what is lost follows from the seed", async (t) => {
  const lost = async (seed: string): Promise<number[]> => {
    const [, port] = await startRelay(t, ["--up", "loss=50%", "--seed", seed]);
    return survivors(t, port, 30);
  };
  const [first, again, other] = await Promise.all([lost("7"), lost("7"), lost("8")]);
  t.ok(first.length > 5 && first.length < 25, `${first.length} of 30 came back`);
  t.same(first, again);
  t.notSame(first, other);
});

t.test("the plain form names both directions and ends with a table", async (t) => {
  const relay = startSluice(["relay", "--listen", "127.0.0.1:0", "--up", "loss=10%", "--seed", "monday"]);
  t.teardown(() => relay.kill("SIGKILL"));
  await relay.line((line) => line.startsWith("  down"));
  relay.kill("SIGINT");
  const { code, stdout } = await relay.ended;
  t.equal(code, 0);
  t.match(
    stdout,
    /^relay 127\.0\.0\.1:\d+ -> 127\.0\.0\.1:4433, seed monday\n {2}up {4}loss 10 %\n {2}down {2}perfect\n/,
  );
  t.match(stdout, /\ndirection +offered/);
});

t.test("--trace changes the path from the first packet on", async (t) => {
  const trace = t.testdir({ trace: "0s delay=1ms\n500ms loss=100%\n550ms loss=0\n" });
  const [relay, port] = await startRelay(t, ["--trace", `${trace}/trace`]);
  const client = createSocket("udp4");
  t.teardown(() => client.close());
  t.equal(await ask(client, port, "first"), "first");
  await relay.line((line) => line.includes('"atMs":550'));
  t.equal(await ask(client, port, "last"), "last", "the blackout is over");
  relay.kill("SIGTERM");
  const { stdout } = await relay.ended;
  const events = stdout
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));
  t.same(
    events.filter(({ event }) => event === "trace").map(({ atMs, up }) => [atMs, up]),
    [
      [0, { delayMs: 1 }],
      [500, { loss: 1 }],
      [550, { loss: 0 }],
    ],
  );
});
