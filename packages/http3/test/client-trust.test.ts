import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type ConnectOptions, connect, createCertificate, listen } from "@sluice/http3";
import t, { type Test } from "tap";
import { defaultRoots } from "#src/default-roots.js";
import { issueCertificate } from "./issue-certificate.js";

const HOUR_MS = 3_600_000;
const distrusted = (message: RegExp) => ({ name: "ConnectError", kind: "certificate", message }) as const;

for (const engine of ["quiche", "websocket"] as const) {
  async function start(t: Test, certificate: { cert: string; key: string }) {
    const server = await listen({ port: 0, engine, certificate });
    t.teardown(() => server.close());
    const { port } = new URL(server.url);
    const open = async (options: ConnectOptions, host = "127.0.0.1") => {
      const session = await connect(`https://${host}:${port}/`, { engine, ...options });
      session.close();
      return true;
    };
    return { server, open };
  }

  t.test(`${engine}: by default the system's roots decide`, async (t) => {
    const issued = await issueCertificate("localhost", { moreNames: ["127.0.0.1"] });
    const { open } = await start(t, issued);
    await t.rejects(open({}), distrusted(/not trusted/), "an authority that nobody knows");
    await t.rejects(open({}, "localhost"), distrusted(/not trusted/));
    t.ok(await open({ ca: issued.ca }));
    t.ok(await open({ ca: issued.ca }, "localhost"));
    const stranger = await issueCertificate("localhost", { moreNames: ["127.0.0.1"] });
    await t.rejects(
      open({ ca: stranger.ca }),
      distrusted(/not trusted/),
      "another authority of the same name",
    );
  });

  t.test(`${engine}: a certificate for another host`, async (t) => {
    const issued = await issueCertificate("example.org", { moreNames: ["10.1.2.3"] });
    const { open } = await start(t, issued);
    await t.rejects(open({ ca: issued.ca }), distrusted(/127\.0\.0\.1/), "an address");
    await t.rejects(open({ ca: issued.ca }, "localhost"), distrusted(/./), "a name");
  });

  t.test(`${engine}: a certificate that has expired`, async (t) => {
    const notAfter = new Date(Date.now() - HOUR_MS);
    const issued = await issueCertificate("127.0.0.1", { notAfter });
    const { server, open } = await start(t, issued);
    await t.rejects(open({ ca: issued.ca }), distrusted(/not trusted/), "by roots");
    await t.rejects(
      open({ certificateHash: server.certificateHash }),
      distrusted(/valid from .* to .* only/),
      "by its hash",
    );
  });

  t.test(`${engine}: one of several hashes is enough, and none is not`, async (t) => {
    const { server, open } = await start(t, await createCertificate());
    const others = ["0".repeat(64), "1".repeat(64)];
    const { certificateHash } = server;
    t.ok(await open({ certificateHashes: [...others, certificateHash] }));
    t.ok(await open({ certificateHash, certificateHashes: others }));
    const colons = certificateHash.toUpperCase().replace(/..(?!$)/g, "$&:");
    t.ok(await open({ certificateHashes: [colons] }), "as openssl prints it");
    await t.rejects(open({ certificateHashes: others }), distrusted(new RegExp(others.join(" or "))));
    await t.rejects(open({ certificateHashes: [] }), distrusted(/1 to 16/), "an empty list trusts nobody");
    await t.rejects(open({ certificateHashes: [], insecure: true }), distrusted(/1 to 16/));
    await t.rejects(open({ certificateHashes: Array(17).fill(certificateHash) }), distrusted(/1 to 16/));
    await t.rejects(
      open({ certificateHashes: others, insecure: true }),
      distrusted(/expected/),
      "hashes go first",
    );
  });

  t.test(`${engine}: the insecure switch shouts each time`, async (t) => {
    const { open } = await start(t, await createCertificate());
    const logged: string[] = [];
    const log = (level: string, message: string) => logged.push(`${level} ${message}`);
    t.ok(await open({ insecure: true, log }));
    t.ok(await open({ insecure: true, log }));
    const warnings = logged.filter((line) => line.startsWith("warn insecure"));
    t.equal(warnings.length, 2);
    t.match(
      warnings[0],
      /127\.0\.0\.1:\d+ is not checked; anybody on the path can read and change everything/,
    );

    const warned = once(process, "warning") as Promise<[Error & { code: string }]>;
    t.ok(await open({ insecure: true }));
    const [warning] = await warned;
    t.match([warning.code, warning.message], ["SLUICE_INSECURE", /not checked/]);
  });
}

t.test("NODE_EXTRA_CA_CERTS adds to the roots of Node", async (t) => {
  const folder = await mkdtemp(join(tmpdir(), "sluice-roots-"));
  t.teardown(() => rm(folder, { recursive: true }));
  const path = join(folder, "extra.pem");
  const issued = await issueCertificate("127.0.0.1");
  await writeFile(path, issued.ca);
  const roots = defaultRoots({});
  t.ok(roots.split("BEGIN CERTIFICATE").length > 100, "Mozilla's");
  t.equal(defaultRoots({ NODE_EXTRA_CA_CERTS: path }), `${roots}\n${issued.ca}`);
  t.throws(() => defaultRoots({ NODE_EXTRA_CA_CERTS: join(folder, "none.pem") }), { code: "ENOENT" });

  const server = await listen({ port: 0, engine: "quiche", certificate: issued });
  t.teardown(() => server.close());
  const script = `
    import { connect } from "@sluice/http3";
    const session = await connect(${JSON.stringify(server.url)}, { engine: "quiche" });
    session.close();
    await session.closed;`;
  const run = async (environment: NodeJS.ProcessEnv) => {
    const child = spawn(process.execPath, ["--input-type=module", "-e", script], {
      cwd: fileURLToPath(new URL(".", import.meta.url)),
      env: { ...process.env, ...environment },
      stdio: "ignore",
    });
    return (await once(child, "exit"))[0] as number | null;
  };
  t.equal(await run({ NODE_EXTRA_CA_CERTS: path }), 0, "a process that has it trusts the server");
  t.not(await run({ NODE_EXTRA_CA_CERTS: "" }), 0, "one without does not");
});
