import { runSluice, startSluice } from "./sluice-process.mjs";

/** Time between frames over the predicted time of one: only one is under way. */
const headroom = 1.5;

/** What the formula says, in milliseconds; nothing sent needs no path. */
export function predictTotal({ clientMs, encodeMs, bytes, decodeMs, serverMs }, { megabits, rttMs }) {
  const network = bytes === 0 ? 0 : (bytes * 8) / (megabits * 1000) + rttMs;
  return clientMs + encodeMs + network + decodeMs + serverMs;
}

/** A server for a model with a relay before it. */
export async function openPath(model, { megabits, rttMs }) {
  const server = await startSluice(
    ["serve", "--model", model, "--model", "sink", "--listen", "127.0.0.1:0", "--metrics", "off", "--json"],
    "listening",
  );
  try {
    const { port } = new URL(server.message.url);
    const relay = await startSluice(
      [
        ...["relay", "--target", `127.0.0.1:${port}`, "--listen", "127.0.0.1:0", "--json"],
        ...["--rate", `${megabits}mbit`, "--delay", `${rttMs / 2}ms`, "--queue", "2s"],
      ],
      "listening",
    );
    return {
      url: `https://${relay.message.address}`,
      certHash: server.message.certHash,
      async close() {
        await relay.close();
        await server.close();
      },
    };
  } catch (error) {
    await server.close();
    throw error;
  }
}

/** Of the session that measures the round trip, to `sink`: frames so small and rare that its pings wait behind none. */
const idle = ["--source", "synthetic:1x1x16", "--frames", "16", "--fps", "4", "--deadline-ms", "20000"];

/**
 * The round trip that a session on the path measures, in milliseconds: what the relay delays, and what its timers and the
 * two ends' own threads add to every packet. By a session of its own, which sends next to nothing: pings behind a frame
 * would tell its D/B once more.
 */
export async function measureRtt({ url, certHash }) {
  const args = ["stream", url, "--cert-hash", certHash, "--model", "sink", ...idle, "--json"];
  return (await runSluice(args)).rttMs;
}

function streamArgs(path, workload, { strategy, split, codec }) {
  return [
    ...["stream", path.url, "--cert-hash", path.certHash, "--model", workload.model, "--strategy", strategy],
    ...(split === "" ? [] : ["--split", split]),
    ...(codec === "" ? [] : ["--codec", codec]),
    ...["--source", workload.source, "--preprocess", workload.preprocess, "--seed", "1"],
    ...["--deadline-ms", "20000", "--json"],
  ];
}

/** Streams frames one after another and takes the time from the image to the result, in the middle. */
export async function measureTotal(path, workload, option, predictedMs) {
  const periodMs = Math.max(10, headroom * predictedMs + 5);
  const report = await runSluice([
    ...streamArgs(path, workload, option),
    ...["--frames", String(workload.frames), "--fps", (1000 / periodMs).toFixed(3)],
  ]);
  return {
    totalMs: report.latencyMs.p50,
    delivered: report.delivered,
    rttMs: report.rttMs,
    stagesMs: report.stagesMs,
  };
}
