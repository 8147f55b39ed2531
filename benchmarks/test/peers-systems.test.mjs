// Every system carries every tensor of a short run to its server and brings the answer back.
import t from "tap";
import { runCell } from "../peers/run-cell.mjs";
import { findSystem, systems, whyMissing, withStreamDeadline } from "../peers/systems/index.mjs";

/** Nothing here depends on time: frames of Sluice are not due while the test runs. */
const deadlineMs = 20_000;
const workload = { kind: "paced", framesPerSecond: 20, seconds: 0.5, warmUpSeconds: 0, cap: 64, deadlineMs };

/** Real-time streams give up what is late, and a busy machine may make them late. */
const patient = (system) => (system.module === "sluice" ? withStreamDeadline(system, deadlineMs) : system);

for (const name of Object.keys(systems)) {
  const system = findSystem(name);
  const reason = await whyMissing(system);
  t.test(name, { skip: reason ?? false }, async (t) => {
    const { frames, client, server, about } = await runCell({
      ...{ system: patient(system), host: "127.0.0.1", workload },
      task: { kind: "check", bytes: 5_120, seed: 1 },
    });
    t.equal(frames.length, 10);
    const right = frames.filter(({ status, ok, share }) => status === "answered" && ok && share === 1);
    t.equal(right.length, 10, JSON.stringify(frames.find((frame) => !right.includes(frame))));
    t.ok(client.cpuSeconds > 0 && server.rssBytes > 0);
    t.type(about, "string");
  });
}
