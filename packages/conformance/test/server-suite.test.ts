import { formatReport, judgeCases, runServerSuite } from "@sluice/conformance";
import { connect, listen } from "@sluice/http3";
import { ErrorCode } from "@sluice/protocol";
import { createServer, createSinkModel, StreamRefusal } from "@sluice/server";
import t from "tap";

const sink = createSinkModel();
const transport = await listen({ port: 0 });
const server = createServer({
  transport,
  openServedStream: async ({ model }) => {
    if (model !== "sink") throw new StreamRefusal(ErrorCode.unknownModel, `no model ${model}`);
    return sink;
  },
});
t.teardown(() => server.close());

t.test("our own server passes every case of the live suite", async (t) => {
  const results = await runServerSuite({
    model: "sink",
    connect: () => connect(transport.url, { certificateHash: transport.certificateHash! }),
  });
  const report = judgeCases(results, []);
  t.ok(report.ok, formatReport(report));
  t.ok(report.counts.passed > 80, `${report.counts.passed} cases`);
});
