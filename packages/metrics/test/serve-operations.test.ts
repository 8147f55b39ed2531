import { once } from "node:events";
import { connect } from "node:net";
import { createMetrics, type OperationsOptions, serveOperations } from "@sluice/metrics";
import t, { type Test } from "tap";

async function start(t: Test, options: Partial<OperationsOptions> = {}) {
  const metrics = createMetrics({ processMetrics: false });
  const server = await serveOperations({
    host: "127.0.0.1",
    port: 0,
    metrics,
    isReady: () => true,
    ...options,
  });
  t.teardown(() => server.close());
  return { ...server, metrics };
}

/** Sends raw bytes and returns all that comes back until the server closes the connection. */
async function raw(url: string, request: string): Promise<string> {
  const socket = connect(Number(new URL(url).port), "127.0.0.1");
  let text = "";
  socket.setEncoding("latin1").on("data", (chunk: string) => {
    text += chunk;
  });
  socket.on("error", () => {});
  socket.write(request);
  await once(socket, "close");
  return text;
}

t.test("/metrics answers in the text format of Prometheus", async (t) => {
  const { url, metrics } = await start(t);
  metrics.observeSentBytes(5);
  const response = await fetch(`${url}/metrics?x=1`);
  t.equal(response.status, 200);
  t.match(response.headers.get("content-type"), /^text\/plain; version=0\.0\.4/);
  t.match(await response.text(), /^sluice_sent_bytes_total 5$/m);
});

t.test("/healthz is ok at once, /readyz when the server is", async (t) => {
  let ready = false;
  const { url } = await start(t, { isReady: () => ready });
  t.equal((await fetch(`${url}/healthz`)).status, 200);
  t.equal((await fetch(`${url}/readyz`)).status, 503);
  ready = true;
  const response = await fetch(`${url}/readyz`);
  t.equal(response.status, 200);
  t.equal(await response.text(), "ready\n");
});

t.test("/.well-known/sluice is made anew each time and may be read by any page", async (t) => {
  let hash = "aa";
  const { url } = await start(t, { describe: () => ({ certificateHash: hash }) });
  const response = await fetch(`${url}/.well-known/sluice`);
  t.equal(response.headers.get("content-type"), "application/json");
  t.equal(response.headers.get("access-control-allow-origin"), "*");
  t.same(await response.json(), { certificateHash: "aa" });
  hash = "bb";
  t.same(await (await fetch(`${url}/.well-known/sluice`)).json(), { certificateHash: "bb" });
});

t.test("what is not there is 404, also a description that is not given", async (t) => {
  const { url } = await start(t);
  for (const path of ["/", "/metrics/", "/.well-known/sluice", "/constructor", "//metrics"]) {
    t.equal((await fetch(`${url}${path}`)).status, 404, path);
  }
});

t.test("methods other than GET and HEAD are 405", async (t) => {
  const { url } = await start(t);
  for (const method of ["POST", "PUT", "DELETE", "OPTIONS"]) {
    const response = await fetch(`${url}/metrics`, { method });
    t.equal(response.status, 405, method);
    t.equal(response.headers.get("allow"), "GET, HEAD");
  }
  t.equal((await fetch(`${url}/nowhere`, { method: "POST" })).status, 404);
});

t.test("HEAD has the headers of GET and no body", async (t) => {
  const { url } = await start(t);
  const [get, head] = [await fetch(`${url}/metrics`), await fetch(`${url}/metrics`, { method: "HEAD" })];
  t.equal(head.status, 200);
  t.equal(head.headers.get("content-length"), get.headers.get("content-length"));
  t.equal(head.headers.get("content-length"), String((await get.text()).length));
  t.equal(await head.text(), "");
});

t.test("an answer that cannot be made is 500, told to the log and not to the client", async (t) => {
  const told: [object, string][] = [];
  const { url } = await start(t, {
    metrics: { contentType: "text/plain", text: () => Promise.reject(new Error("secret")) },
    describe: () => {
      throw new Error("secret");
    },
    log: { error: (fields, message) => told.push([fields, message]) },
  });
  for (const path of ["/metrics", "/.well-known/sluice"]) {
    const response = await fetch(`${url}${path}`);
    t.equal(response.status, 500);
    t.equal(await response.text(), "internal error\n");
  }
  t.match(told, [
    [{ path: "/metrics", err: { message: "secret" } }, "operations endpoint failed"],
    [{ path: "/.well-known/sluice" }, "operations endpoint failed"],
  ]);
});

t.test("large headers are refused, bodies are not read", async (t) => {
  const { url } = await start(t);
  const large = await raw(url, `GET /healthz HTTP/1.1\r\nHost: a\r\nX-Large: ${"x".repeat(9000)}\r\n\r\n`);
  t.match(large, /^HTTP\/1\.1 431 /);
  const body = await raw(url, "GET /healthz HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\nabc");
  t.match(body, /^HTTP\/1\.1 200 [\s\S]*connection: close/i);
  t.match(await raw(url, "nonsense\r\n\r\n"), /^HTTP\/1\.1 400 /);
});

t.test("close ends kept connections, twice is once; a taken port is an error", async (t) => {
  const { url, close, metrics } = await start(t);
  const port = Number(new URL(url).port);
  await (await fetch(`${url}/healthz`)).text();
  await t.rejects(serveOperations({ host: "127.0.0.1", port, metrics, isReady: () => true }), {
    code: "EADDRINUSE",
  });
  await Promise.all([close(), close()]);
  await t.rejects(fetch(`${url}/healthz`));
});
