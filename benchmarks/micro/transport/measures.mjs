const SMALL_BYTES = 1200;
const LARGE_BYTES = 8192;
/** UDP payload that holds a datagram of 8 KiB with the headers of QUIC and HTTP/3. */
const LARGE_PACKET_BYTES = 8300;

const megabytes = (bytes, { elapsedMs }) => bytes / 1000 / elapsedMs;
const perSecond = (count, { elapsedMs }) => (count * 1000) / elapsedMs;

/** CPU of both processes, each counted once. */
const cpuMs = ({ client, server }, peer) => server.cpuMs + (peer.isOneProcess ? 0 : client.cpuMs);

function oneWayFigures(result, peer, { datagramBytes }) {
  const { client, server } = result;
  const usedMs = cpuMs(result, peer);
  return {
    datagramsPerSecond: perSecond(server.received, server),
    megabytesPerSecond: megabytes(server.received * datagramBytes, server),
    cpuSecondsPer100k: server.received === 0 ? undefined : (usedMs / 1000 / server.received) * 100_000,
    lostShare: client.sent === 0 ? undefined : Math.max(0, 1 - server.received / client.sent),
  };
}

const oneWay = (id, parameters) => ({
  id,
  half: "one-way",
  needs: "datagrams",
  parameters,
  figures: oneWayFigures,
});

const streams = (id, needs, parameters) => ({
  id,
  half: "streams",
  needs,
  parameters,
  figures: ({ server }) => ({ megabytesPerSecond: megabytes(server.bytes, server) }),
});

const roundTrip = (id, needs, by) => ({
  id,
  half: "round-trip",
  needs,
  parameters: { by, messageBytes: 100 },
  figures: ({ client }) => ({ p50Ms: client.p50Ms ?? undefined, p99Ms: client.p99Ms ?? undefined }),
});

/** What is measured, in this order. `figures` makes numbers of what the two sides counted. */
export const measures = [
  oneWay("one-way-1200", { datagramBytes: SMALL_BYTES }),
  oneWay("one-way-8192", { datagramBytes: LARGE_BYTES, maxPacketBytes: LARGE_PACKET_BYTES }),
  {
    id: "echo-1200",
    half: "echo",
    needs: "datagrams",
    parameters: { datagramBytes: SMALL_BYTES, inFlight: 64 },
    figures: ({ client }) => ({ datagramsPerSecond: perSecond(client.received, client) }),
  },
  streams("stream-1", "streams", { streams: 1 }),
  streams("stream-8", "streams", { streams: 8 }),
  streams("stream-1-large-packets", "packet-size", { streams: 1, maxPacketBytes: LARGE_PACKET_BYTES }),
  roundTrip("round-trip-datagram", "datagrams", "datagram"),
  roundTrip("round-trip-stream", "streams", "stream"),
  {
    id: "main-thread-10k",
    half: "paced",
    needs: "datagrams",
    parameters: { datagramBytes: SMALL_BYTES, datagramsPerSecond: 10_000 },
    figures: ({ server }) => ({
      mainThreadShare: server.mainShare,
      datagramsPerSecond: perSecond(server.received, server),
    }),
  },
];

/**
 * The rows of the table. `over` names the peer that ratios are taken to; `must` and `aim` are the bounds that the
 * engine `quiche` is held to, on the ratio (`of: "ratio"`, at least) or on the value (`of: "value"`, at most).
 */
export const rows = [
  {
    title: "one way, 1,200 B, datagrams/s",
    measure: "one-way-1200",
    figure: "datagramsPerSecond",
    over: "udp",
    target: { of: "ratio", must: 0.3, aim: 0.45 },
  },
  { title: "one way, 1,200 B, MB/s", measure: "one-way-1200", figure: "megabytesPerSecond", over: "udp" },
  {
    title: "one way, 8 KiB, datagrams/s",
    measure: "one-way-8192",
    figure: "datagramsPerSecond",
    over: "udp",
  },
  { title: "one way, 8 KiB, MB/s", measure: "one-way-8192", figure: "megabytesPerSecond", over: "udp" },
  {
    title: "echo, 1,200 B, 64 in flight, datagrams/s",
    measure: "echo-1200",
    figure: "datagramsPerSecond",
    over: "udp",
    target: { of: "ratio", must: 0.45, aim: 0.6 },
  },
  { title: "one stream, MB/s", measure: "stream-1", figure: "megabytesPerSecond", over: "tcp" },
  { title: "eight streams, MB/s", measure: "stream-8", figure: "megabytesPerSecond", over: "tcp" },
  {
    title: "one stream, packets of 8,300 B, MB/s",
    measure: "stream-1-large-packets",
    figure: "megabytesPerSecond",
    over: "tcp",
  },
  { title: "round trip by datagram, p50 ms", measure: "round-trip-datagram", figure: "p50Ms", over: "udp" },
  { title: "round trip by datagram, p99 ms", measure: "round-trip-datagram", figure: "p99Ms", over: "udp" },
  { title: "round trip by stream, p50 ms", measure: "round-trip-stream", figure: "p50Ms", over: "tcp" },
  { title: "round trip by stream, p99 ms", measure: "round-trip-stream", figure: "p99Ms", over: "tcp" },
  {
    title: "CPU seconds per 100k datagrams one way, both processes",
    measure: "one-way-1200",
    figure: "cpuSecondsPer100k",
    over: "udp",
  },
  { title: "lost one way, 1,200 B, share of sent", measure: "one-way-1200", figure: "lostShare" },
  {
    title: "receiver's main thread at 10k datagrams/s, share of a core",
    measure: "main-thread-10k",
    figure: "mainThreadShare",
    over: "udp",
    target: { of: "value", must: 0.1 },
  },
  { title: "received at 10k datagrams/s", measure: "main-thread-10k", figure: "datagramsPerSecond" },
];
