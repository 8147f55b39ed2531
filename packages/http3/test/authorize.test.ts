import { type Authorization, connect, selectEngine } from "@sluice/http3";
import { ConnectError, type SessionRequest } from "@sluice/transport";
import t from "tap";
import { startServer } from "./open-pair.js";

async function refusal(attempt: Promise<unknown>): Promise<string> {
  try {
    await attempt;
  } catch (error) {
    if (error instanceof ConnectError) return `${error.kind}: ${error.message}`;
    throw error;
  }
  return "a session";
}

/** Why an engine cannot take part, `false` where it can. */
async function missing(engine: "fails" | "quiche" | "websocket"): Promise<string | false> {
  return selectEngine(engine).then(
    () => false,
    (error: unknown) => String(error),
  );
}

for (const engine of ["quiche", "websocket", "fails"] as const) {
  t.test(`${engine}: a decision that takes its time`, { skip: await missing(engine) }, async (t) => {
    const asked: SessionRequest[] = [];
    const announced: SessionRequest[] = [];
    const { server, open } = await startServer({
      engine,
      async authorize(request) {
        asked.push(request);
        await new Promise((resolve) => setImmediate(resolve));
        if (request.path === "/throw") throw new Error("broken");
        return request.path === "/refuse" ? 403 : true;
      },
    });
    t.teardown(() => server.close());
    const certificateHash = server.certificateHash ?? "";
    const attempt = (path: string) => refusal(connect(server.url + path, { certificateHash, engine }));
    // The library of `fails` does not say why.
    t.match(await attempt("/refuse"), engine === "fails" ? /^refused/ : /^rejected: .*403/);
    t.match(await attempt("/throw"), engine === "fails" ? /^refused/ : /^rejected: .*500/);
    const { client } = await open({ engine });
    server.onSession((_, request) => announced.push(request));
    const second = await connect(`${server.url}/second`, { certificateHash, engine });
    while (announced.length === 0) await new Promise((resolve) => setImmediate(resolve));
    t.strictSame(
      asked.map(({ path }) => path),
      ["/refuse", "/throw", "/", "/second"],
    );
    if (engine !== "fails")
      t.equal(announced[0], asked[3], "the session comes with the request's own object");
    client.close();
    second.close();
  });
}

t.test("quiche: a client that gives up during the decision gets no session", async (t) => {
  let decide: (answer: Authorization) => void = () => {};
  const announced: string[] = [];
  const { server } = await startServer({
    engine: "quiche",
    authorize: ({ path }) =>
      path === "/slow"
        ? new Promise((resolve) => {
            decide = resolve;
          })
        : true,
  });
  t.teardown(() => server.close());
  const arrived = new Promise<void>((resolve) => {
    server.onSession((_, { path }) => {
      announced.push(path);
      if (path === "/after") resolve();
    });
  });
  const options = { certificateHash: server.certificateHash ?? "", engine: "quiche" } as const;
  t.match(await refusal(connect(`${server.url}/slow`, { ...options, timeoutMs: 300 })), /^timeout/);
  // The server learns of it before it learns of the next client.
  const between = await connect(`${server.url}/between`, options);
  decide(true);
  const after = await connect(`${server.url}/after`, options);
  await arrived;
  t.strictSame(announced, ["/between", "/after"]);
  between.close();
  after.close();
});

for (const engine of ["quiche", "websocket"] as const) {
  t.test(`${engine}: a decision that never comes ends with the handshake's time`, async (t) => {
    const { server } = await startServer({
      engine,
      handshakeTimeoutMs: 200,
      authorize: () => new Promise(() => {}),
    });
    t.teardown(() => server.close());
    const options = { certificateHash: server.certificateHash ?? "", engine, timeoutMs: 60_000 };
    t.match(await refusal(connect(server.url, options)), /^(rejected|refused|timeout)/);
  });
}
