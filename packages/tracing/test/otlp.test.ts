import { once } from "node:events";
import { createServer, type IncomingHttpHeaders } from "node:http";
import type { AddressInfo } from "node:net";
import t, { type Test } from "tap";
import { parseOtlpHeaders, parseOtlpUrl, postTraces } from "#src/otlp-http.js";
import { otlpRequest } from "#src/otlp-json.js";
import { runTwoEnds } from "./two-ends.js";

const { client, server } = runTwoEnds({
  frames: 2,
  deadlineMs: 100,
  extraMs: (frame) => (frame === 1 ? 90 : 0),
});
const resource = { version: "1.2.3", instance: "i-1" };

t.test(
  "a request by OTLP's names: ids in hexadecimal, 64-bit integers as text, enumerations as numbers",
  async (t) => {
    const { resourceSpans } = otlpRequest(client, { side: "client", ...resource });
    t.equal(resourceSpans.length, 1);
    const { resource: about, scopeSpans } = resourceSpans[0]!;
    t.same(about, {
      attributes: [
        { key: "service.name", value: { stringValue: "sluice-client" } },
        { key: "service.version", value: { stringValue: "1.2.3" } },
        { key: "service.instance.id", value: { stringValue: "i-1" } },
      ],
    });
    const { scope, spans } = scopeSpans[0]!;
    t.same(scope, { name: "sluice", version: "1.2.3" });
    for (const span of spans) {
      t.match(span, {
        ...{ traceId: /^[0-9a-f]{32}$/, spanId: /^[0-9a-f]{16}$/, name: String, kind: Number },
        ...{ startTimeUnixNano: /^\d{19}$/, endTimeUnixNano: /^\d{19}$/, status: { code: Number } },
      });
      t.ok(BigInt(span.endTimeUnixNano) >= BigInt(span.startTimeUnixNano));
      for (const { key, value } of span.attributes) {
        t.match(key, /^sluice\.[a-z_.]+$/);
        t.equal(Object.keys(value).length, 1);
        const [[kind, held]] = Object.entries(value) as [[string, unknown]];
        t.equal(
          typeof held,
          { stringValue: "string", intValue: "string", doubleValue: "number", boolValue: "boolean" }[kind],
        );
      }
    }
    t.equal(new Set(spans.map(({ spanId }) => spanId)).size, spans.length, "no two spans share an id");
    const roots = spans.filter(({ parentSpanId }) => parentSpanId === undefined);
    t.match(roots, [
      { name: "frame client", kind: 3, status: { code: 0 } },
      { name: "frame client", kind: 3, status: { code: 2, message: "late" } },
    ]);
    const [first] = roots;
    const attribute = (key: string) => first?.attributes.find((each) => each.key === key)?.value;
    t.same(attribute("sluice.frame"), { intValue: "0" });
    t.same(attribute("sluice.bytes"), { intValue: "4000" });
    t.same(attribute("sluice.late"), { boolValue: false });
    t.same(attribute("sluice.outcome"), { stringValue: "delivered" });
    t.equal(spans.find(({ name }) => name === "inference")?.parentSpanId, first?.spanId);
    t.equal(first?.startTimeUnixNano, String(BigInt(Math.round(client[0]!.startMs * 1_000)) * 1_000n));
  },
);

t.test("the server's frame is the child of the client's, unless nobody has named the session", async (t) => {
  const spansOf = (traces: typeof client, side: "client" | "server") =>
    otlpRequest(traces, { side, ...resource }).resourceSpans[0]!.scopeSpans[0]!.spans;
  const [parent] = spansOf(client, "client");
  const [child] = spansOf(server, "server");
  t.match(child, { name: "frame server", kind: 2, traceId: parent!.traceId, parentSpanId: parent!.spanId });
  const [orphan] = spansOf(
    server.map((trace) => ({ ...trace, isNamedByClient: false })),
    "server",
  );
  t.equal(orphan?.parentSpanId, undefined);
});

t.test("addresses and headers", async (t) => {
  t.equal(parseOtlpUrl("http://127.0.0.1:4318"), "http://127.0.0.1:4318/v1/traces");
  t.equal(parseOtlpUrl("https://host/otlp/v1/traces"), "https://host/otlp/v1/traces");
  t.throws(() => parseOtlpUrl("ftp://host"), RangeError);
  t.throws(() => parseOtlpUrl("http://me:pw@host"), { message: /^(?!.*pw).*OTEL_EXPORTER_OTLP_HEADERS/ });
  t.same(parseOtlpHeaders("Api-Key=a%20b, x=1=2,"), { "api-key": "a b", x: "1=2" });
  t.same(parseOtlpHeaders(""), {});
  for (const bad of ["secret", "=secret", "a=%zz"]) {
    t.throws(() => parseOtlpHeaders(bad), { message: /^(?!.*(secret|zz)).*KEY=VALUE/ });
  }
});

async function startCollector(
  t: Test,
  answer: { status: number; headers?: Record<string, string>; body?: string },
) {
  const got: { readonly headers: IncomingHttpHeaders; readonly body: string }[] = [];
  const http = createServer((request, response) => {
    let body = "";
    request.setEncoding("utf8").on("data", (text: string) => {
      body += text;
    });
    request.on("end", () => {
      got.push({ headers: request.headers, body });
      response.writeHead(answer.status, answer.headers).end(answer.body ?? "{}");
    });
  }).listen(0, "127.0.0.1");
  t.teardown(() => http.close());
  await once(http, "listening");
  return { got, url: `http://127.0.0.1:${(http.address() as AddressInfo).port}/v1/traces` };
}

t.test("what a collector answers", async (t) => {
  const rejected: string[] = [];
  const post = (url: string) =>
    postTraces({ url, headers: { "api-key": "k" } }, client, { side: "client", ...resource }, (reason) =>
      rejected.push(reason),
    );
  const fine = await startCollector(t, { status: 200 });
  t.same(await post(fine.url), { outcome: "done" });
  t.match(fine.got[0]?.headers, { "content-type": "application/json", "api-key": "k" });
  t.same(JSON.parse(fine.got[0]!.body), otlpRequest(client, { side: "client", ...resource }));
  const partial = await startCollector(t, {
    ...{ status: 200, body: '{"partialSuccess":{"rejectedSpans":"3","errorMessage":"too old"}}' },
  });
  t.same(await post(partial.url), { outcome: "done" });
  t.same(rejected, ["3 spans: too old"]);
  const busy = await startCollector(t, { status: 429, headers: { "retry-after": "7" } });
  t.match(await post(busy.url), { outcome: "again", afterMs: 7_000, reason: /429/ });
  const away = await startCollector(t, { status: 503 });
  t.match(await post(away.url), { outcome: "again", afterMs: undefined });
  const no = await startCollector(t, { status: 400 });
  t.match(await post(no.url), { outcome: "refused", reason: /400/ });
  t.match(await post("http://127.0.0.1:1/v1/traces"), { outcome: "again", reason: /cannot be reached/ });
});
