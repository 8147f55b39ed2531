import { setImmediate as nextTurn } from "node:timers/promises";
import t from "tap";
import type { QuicheConnection } from "#src/quiche/connection.js";
import { TurnLoop } from "#src/quiche/turn-loop.js";

/** A connection that notes its turns; `onRead` plays what is above it. */
function createConnection(log: string[], onRead: () => void) {
  const connection = {
    read() {
      log.push("read");
      onRead();
    },
    send: () => void log.push("send"),
    socket: { close() {} },
  };
  return connection as unknown as QuicheConnection;
}

t.test("what the caller's thread answers without waiting is sent in the same turn", async (t) => {
  const log: string[] = [];
  let news: string[] = [];
  const loop: TurnLoop = new TurnLoop(() => {}, {
    takeNews() {
      log.push(...news);
      const hadSome = news.length > 0;
      news = [];
      return hadSome;
    },
    onError: (error) => t.fail(String(error)),
  });
  const answer = async () => {
    for (let i = 0; i < 20; i++) await undefined;
    log.push("answered");
    news.push("answer taken");
    loop.schedule(connection);
  };
  const connection: QuicheConnection = createConnection(log, () => {
    if (!log.includes("answered")) void answer();
  });
  loop.schedule(connection);
  await nextTurn();
  t.strictSame(log, ["read", "answered", "answer taken", "read", "send"]);
  await nextTurn();
  t.equal(log.length, 5, "there is nothing left for another turn");
});

t.test("a loop that ends between reading and sending sends nothing", async (t) => {
  const log: string[] = [];
  const loop: TurnLoop = new TurnLoop(() => {}, { takeNews: () => false, onError: () => t.fail() });
  const connection = createConnection(log, () => {
    queueMicrotask(() => t.ok(loop.stop().has(connection), "its socket has to be closed"));
  });
  loop.schedule(connection);
  await nextTurn();
  t.strictSame(log, ["read"]);
});

t.test("an error of either half of a turn is told on the caller's thread", async (t) => {
  for (const half of ["read", "send"] as const) {
    const errors: unknown[] = [];
    const loop = new TurnLoop(() => {}, { takeNews: () => false, onError: (error) => errors.push(error) });
    const connection = createConnection([], () => {});
    connection[half] = () => {
      throw new Error(half);
    };
    loop.schedule(connection);
    await nextTurn();
    t.match(errors, [{ message: half }]);
  }
});

t.test(
  "handshakes come after those who have a session, a few in each round, in the order of their arrival",
  async (t) => {
    const log: string[] = [];
    const loop = new TurnLoop(() => log.push("round"));
    const create = (name: string, isOpening: boolean) => {
      const connection = {
        isOpening,
        read: () => log.push(name),
        send() {},
        isHeldBack: false,
        isLocal: true,
      };
      return connection as unknown as QuicheConnection;
    };
    const newcomers = [1, 2, 3, 4, 5].map((number) => create(`new ${number}`, true));
    const [first, second] = [create("first", false), create("second", false)];
    for (const connection of [...newcomers.slice(0, 4), first]) loop.schedule(connection);
    await nextTurn();
    for (const connection of [newcomers[4]!, second]) loop.schedule(connection);
    while (!log.includes("new 5")) await nextTurn();
    const reads = log
      .join(" ")
      .split("round")
      .map((round) => round.trim());
    t.strictSame(reads, ["first new 1 new 2", "", "second new 3 new 4", "", "new 5", "", ""]);
  },
);
