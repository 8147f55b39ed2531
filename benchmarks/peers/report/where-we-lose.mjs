// Where others are faster on loopback, and when to take them.
import { inFlights, sizes } from "../commands/loopback-cells.mjs";
import { resultsOf } from "../commands/loopback-report.mjs";
import { middle, threeDigits } from "../commands/over-rounds.mjs";
import { systems } from "../systems/index.mjs";

const isOurs = (name) => systems[name].module === "sluice";

/** Names with their median frames a second, the fastest first. */
function ranking(cells, bytes, inFlight) {
  return Object.keys(systems)
    .map((name) => {
      const rates = resultsOf(cells, { name, bytes, inFlight }).map(({ framesPerSecond }) => framesPerSecond);
      return { name, rate: rates.length === 0 ? undefined : middle(rates) };
    })
    .filter(({ rate }) => rate !== undefined)
    .sort((a, b) => b.rate - a.rate);
}

function describe(cells, bytes, inFlight) {
  const ranked = ranking(cells, bytes, inFlight);
  const ours = ranked.find(({ name }) => isOurs(name));
  const faster = ranked.slice(0, Math.max(0, ranked.indexOf(ours)));
  if (ours === undefined || faster.length === 0) return [];
  const [best] = faster;
  const where = `${bytes.toLocaleString("en-US")} B, ${inFlight} in flight`;
  const factor = threeDigits(best.rate / ours.rate);
  return [
    `| ${where} | ${systems[ours.name].title}: ${threeDigits(ours.rate)}/s | ${systems[best.name].title}: ${threeDigits(best.rate)}/s | ${factor} | ${faster.length} |`,
  ];
}

/** A table of the sizes at which others carry more than the better of Sluice's modes. */
export function formatWhereWeLose({ cells }) {
  const rows = sizes.flatMap((bytes) => inFlights.flatMap((inFlight) => describe(cells, bytes, inFlight)));
  if (rows.length === 0) return "On loopback no other system carried more tensors than Sluice.";
  return [
    "| | the better of Sluice's modes | the fastest | times ours | faster than we |",
    "| --- | --- | --- | --- | --- |",
    ...rows,
    "",
    "Why: all of the others but Deno's and the data channel send without encryption through the kernel's TCP, which takes " +
      "whole tensors in a few system calls. Sluice encrypts every packet in user space (QUIC), hands every message " +
      "between an application's thread and QUIC's, twice at each end, and keeps account of each slice. That buys what " +
      "the other tables show, and nothing on a path that loses nothing and is faster than anybody sends.",
    "",
    "So take ZeroMQ or a WebSocket between processes of one machine or one rack; gRPC where its tools are wanted and the " +
      "network does not lose packets; HTTP where a frame now and then is all; and Sluice where the path is wireless, " +
      "narrow or long, where a late result is worth nothing, or where a browser is the client.",
  ].join("\n");
}
