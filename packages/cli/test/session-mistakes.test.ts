/** What users see when client and server do not come together: one line, a code of its own, no stack. */
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { ExitCode } from "@sluice/cli";
import t from "tap";
import { runSluice, startSluice } from "./run-sluice.js";

async function closedPort(): Promise<number> {
  const socket = createSocket("udp4").bind(0, "127.0.0.1");
  await once(socket, "listening");
  const { port } = socket.address();
  await new Promise<void>((resolve) => socket.close(resolve));
  return port;
}

const server = startSluice(["serve", "--listen", "127.0.0.1:0", "--metrics", "127.0.0.1:0", "--json"]);
t.teardown(() => server.kill("SIGKILL"));
const { url, certHash } = JSON.parse(await server.line((line) => line.includes('"listening"')));
const nobody = `https://127.0.0.1:${await closedPort()}`;
const otherHash = "0".repeat(64);

interface Mistake {
  readonly what: string;
  readonly args: readonly string[];
  readonly code: number;
  readonly says: RegExp;
}

const mistakes: readonly Mistake[] = [
  {
    what: "nobody listens",
    args: ["stream", nobody, "--cert-hash", certHash],
    code: ExitCode.unreachable,
    says: /127\.0\.0\.1/,
  },
  {
    what: "another certificate than expected",
    args: ["stream", url, "--cert-hash", otherHash],
    code: ExitCode.certificate,
    says: new RegExp(`${certHash}.*${otherHash}`),
  },
  {
    what: "a certificate that nobody vouches for",
    args: ["stream", url],
    code: ExitCode.certificate,
    says: /not trusted/,
  },
  {
    what: "a URL that is none",
    args: ["stream", "127.0.0.1:4433"],
    code: ExitCode.usage,
    says: /127\.0\.0\.1:4433/,
  },
  {
    what: "a model that the server has not",
    args: ["stream", url, "--cert-hash", certHash, "--model", "sink", "--source", "synthetic:2x2x2"],
    code: ExitCode.rejected,
    says: /sink/,
  },
  {
    what: "a model that nobody has",
    args: ["stream", url, "--cert-hash", certHash, "--model", "fashon"],
    code: ExitCode.notFound,
    says: /"fashon".*"fashion"/,
  },
  {
    what: "a tensor that the model has not",
    args: ["stream", url, "--cert-hash", certHash, "--split", "add_33"],
    code: ExitCode.notFound,
    says: /"add_33".*"add_3"/,
  },
  {
    what: "a codec that nobody has",
    args: ["stream", url, "--cert-hash", certHash, "--codec", "raww"],
    code: ExitCode.notFound,
    says: /"raww", did you mean raw/,
  },
  {
    what: "images that are not there",
    args: ["stream", url, "--cert-hash", certHash, "--source", "no-such-folder"],
    code: ExitCode.notFound,
    says: /no-such-folder/,
  },
  {
    what: "a certificate file that is not there",
    args: ["serve", "--cert", "no-such.pem", "--key", "no-such.key"],
    code: ExitCode.notFound,
    says: /no-such\.(pem|key)/,
  },
  {
    what: "an address that is in use",
    args: ["serve", "--listen", new URL(url).host, "--metrics", "127.0.0.1:0"],
    code: ExitCode.unreachable,
    says: /in use|EADDRINUSE/,
  },
];

for (const { what, args, code, says } of mistakes) {
  t.test(what, async (t) => {
    const run = await runSluice(args);
    t.equal(run.code, code);
    t.match(run.stderr, says);
    t.match(run.stderr, /^sluice: [^\n]+\n$/, "one line");
    t.equal(run.stdout, "");
  });
}

t.test("the server is still there, and ends in order", async (t) => {
  const run = await runSluice(["stream", url, "--cert-hash", certHash, "--frames", "3", "--json"]);
  t.equal(run.code, 0);
  t.match(JSON.parse(run.stdout), { offered: 3 });
  server.kill("SIGINT");
  t.equal((await server.ended).code, 0);
});
