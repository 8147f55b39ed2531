// Datagrams that come back, by transports alone: the measure of `benchmarks/micro/transport.mjs`.
import { createCertificate } from "@sluice/http3";
import { findPeers } from "../../micro/transport/peers.mjs";
import { runPair } from "../../micro/transport/run-pair.mjs";

export const echo = { datagramBytes: 1_200, inFlight: 64 };
/** Until V8 has compiled what is hot, for all of them. */
const WARM_UP_MS = 2_000;
/** A window: shorter ones end before packets have grown to what loopback carries. */
const LEAST_SECONDS = 1;
const ENGINES = ["quiche", "quiche-caller", "quinn"];

/** Looked for once: it starts processes. */
let found;
const peersHere = () => {
  found ??= findPeers(ENGINES);
  return found;
};

/** Raw UDP, our engines that load here, and Deno's; none where `only` names systems without one of `echo-`. */
export async function echoCellsOf(only, rounds) {
  const { peers } = await peersHere();
  const carriers = peers
    .filter(({ provides }) => provides.includes("datagrams"))
    .filter(({ name }) => only === undefined || only.includes(`echo-${name}`))
    .map(({ name, title }) => ({ kind: "echo", name, title }));
  return Array.from({ length: rounds }, (_, round) => {
    const ordered = round % 2 === 0 ? carriers : [...carriers].reverse();
    return ordered.map((carrier) => ({
      key: `echo of ${echo.datagramBytes} B, ${carrier.name}, round ${round}`,
      ...carrier,
      round,
    }));
  }).flat();
}

export async function measureEcho({ name }, { seconds }) {
  const { peers } = await peersHere();
  const peer = peers.find((each) => each.name === name);
  const { cert, key, hash } = await createCertificate({ hosts: ["127.0.0.1"] });
  const windowSeconds = Math.max(LEAST_SECONDS, seconds);
  const { error, unsupported, client, server } = await runPair(peer, "echo", {
    ...{
      ...echo,
      ...peer.parameters,
      certificate: { cert, key, hash },
      warmUpMs: WARM_UP_MS,
      seconds: windowSeconds,
    },
  });
  if (error ?? unsupported) throw new Error(error ?? unsupported);
  return {
    echoesPerSecond: (client.received * 1_000) / client.elapsedMs,
    lost: client.lost,
    cpuSecondsPer1000: (client.cpuMs + server.cpuMs) / client.received,
  };
}
