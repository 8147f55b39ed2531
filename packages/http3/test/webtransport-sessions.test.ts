import t from "tap";
import { encodeCloseCapsule } from "#src/h3/capsule.js";
import { H3_CODE, H3Error } from "#src/h3/error.js";
import { encodeFrame, FRAME } from "#src/h3/frame.js";
import { encodeFieldSection, type Field } from "#src/h3/qpack.js";
import { encodeSettings, OUR_SETTINGS } from "#src/h3/settings.js";
import { createConnectFields, createResponseFields } from "#src/webtransport/request.js";
import { MAX_SESSIONS } from "#src/webtransport/session-table.js";
import { createRecordedConnection } from "./recorded-connection.js";

const hex = (value: string) => Buffer.from(value.replaceAll(" ", ""), "hex");
const headers = (fields: readonly Field[]) => encodeFrame(FRAME.HEADERS, encodeFieldSection(fields));
const controlOf = (settings: ReadonlyMap<number, number>) =>
  Buffer.concat([hex("00"), encodeFrame(FRAME.SETTINGS, encodeSettings(settings))]);
const CONTROL = controlOf(OUR_SETTINGS);
const REQUEST = headers(createConnectFields({ authority: "a:1", path: "/p", headers: new Map() }));
const data = (content: Uint8Array) => encodeFrame(FRAME.DATA, content);

function codeOf(run: () => void): number | undefined {
  try {
    run();
  } catch (error) {
    return error instanceof H3Error ? error.code : -1;
  }
  return undefined;
}

/** A server with open sessions on the streams 0, 4, … */
function openServer(count = 1) {
  const recorded = createRecordedConnection("server");
  recorded.quic.arrive(2, CONTROL);
  for (let i = 0; i < count; i++) recorded.quic.arrive(4 * i, REQUEST);
  recorded.connection.handleReadable(0);
  for (const session of recorded.sessions) session.accept();
  recorded.connection.flush(0);
  recorded.log.length = 0;
  return recorded;
}

/** A client that has asked for a session on stream 0. */
function askingClient() {
  const recorded = createRecordedConnection("client");
  recorded.quic.arrive(3, CONTROL);
  recorded.connection.handleReadable(0);
  recorded.connection.openSession({ authority: "a:1", path: "/p", headers: new Map() });
  recorded.connection.flush(0);
  recorded.log.length = 0;
  return recorded;
}

t.test("no request is looked at before the client's SETTINGS (WebTransport over HTTP/3, 3.1)", async (t) => {
  const { quic, connection, log } = createRecordedConnection("server");
  quic.arrive(0, REQUEST);
  connection.handleReadable(0);
  t.strictSame(log, []);
  quic.arrive(2, CONTROL);
  connection.handleReadable(1);
  t.strictSame(log, ["request a:1/p", "ready"]);
});

t.test("a client without datagrams gets no session", async (t) => {
  for (const isLate of [true, false]) {
    const { quic, connection, log } = createRecordedConnection("server");
    const settings = controlOf(new Map([[0x08, 1]]));
    if (!isLate) quic.arrive(2, settings);
    quic.arrive(0, REQUEST);
    connection.handleReadable(0);
    if (isLate) quic.arrive(2, settings);
    connection.handleReadable(1);
    connection.flush(1);
    t.equal(quic.reset.get(0), H3_CODE.MESSAGE_ERROR);
    t.strictSame(log, ["ready"]);
  }
});

t.test("capsules that come before the answer count after it", async (t) => {
  const { quic, connection, sessions, log } = createRecordedConnection("server");
  quic.arrive(2, CONTROL);
  quic.arrive(0, Buffer.concat([REQUEST, data(hex("00 02 6869"))]));
  connection.handleReadable(0);
  t.strictSame(log, ["ready", "request a:1/p"]);
  sessions[0]?.accept();
  t.strictSame(log.slice(2), ["datagram hi"]);
});

t.test("too much before the answer ends the request", async (t) => {
  const { quic, connection, log } = createRecordedConnection("server");
  quic.arrive(2, CONTROL);
  quic.arrive(0, Buffer.concat([REQUEST, data(new Uint8Array(5000))]));
  connection.handleReadable(0);
  connection.flush(0);
  t.equal(quic.reset.get(0), H3_CODE.EXCESSIVE_LOAD);
  t.match(log.at(-1), /^closed 0 .*4096 bytes before the response transport$/);
});

t.test("an error in a capsule ends its session, and no other (RFC 9297 3.3)", async (t) => {
  const cases: [string, Uint8Array, boolean][] = [
    ["CLOSE too short", data(hex("6843 02 0000")), false],
    ["CLOSE too long", data(hex("6843 4405")), false],
    ["end within a capsule", data(hex("6843 04 0000")), true],
    ["end within a capsule's header", data(hex("68")), true],
  ];
  for (const [name, bytes, fin] of cases) {
    const { quic, connection, log, sessions } = openServer(2);
    quic.arrive(0, bytes, fin);
    connection.handleReadable(1);
    connection.flush(1);
    t.equal(quic.reset.get(0), H3_CODE.MESSAGE_ERROR, name);
    t.match(log, [/^closed 0 closed on a protocol error: .* transport$/], name);
    t.equal(sessions[1]?.state, "open", name);
  }
});

t.test("nothing follows the capsule that closes (WebTransport over HTTP/3, 6)", async (t) => {
  const close = data(encodeCloseCapsule(7, "bye"));
  for (const isLate of [true, false]) {
    const { quic, connection, log } = openServer();
    quic.arrive(0, isLate ? close : Buffer.concat([close, data(hex("17 00"))]));
    connection.handleReadable(1);
    connection.flush(1);
    if (isLate) quic.arrive(0, data(hex("17 00")));
    connection.handleReadable(2);
    connection.flush(2);
    t.strictSame(log, ["closed 7 bye remote"]);
    t.equal(quic.reset.get(0), H3_CODE.MESSAGE_ERROR, isLate ? "in a later packet" : "in the same packet");
    t.equal(quic.stopped.get(0), H3_CODE.MESSAGE_ERROR);
  }
});

t.test("a CONNECT stream has one header section, and DATA after it only (RFC 9114 4.1, 4.4)", async (t) => {
  const server = openServer();
  server.quic.arrive(0, headers([["x", "trailers"]]));
  t.equal(
    codeOf(() => server.connection.handleReadable(1)),
    H3_CODE.FRAME_UNEXPECTED,
    "trailers of a request",
  );
  const early = askingClient();
  early.quic.arrive(0, Buffer.concat([headers([[":status", "103"]]), data(hex("1700"))]));
  t.equal(
    codeOf(() => early.connection.handleReadable(1)),
    H3_CODE.FRAME_UNEXPECTED,
    "DATA before the response",
  );
  const late = askingClient();
  late.quic.arrive(0, Buffer.concat([headers(createResponseFields(200)), headers([["x", "trailers"]])]));
  t.equal(
    codeOf(() => late.connection.handleReadable(1)),
    H3_CODE.FRAME_UNEXPECTED,
    "trailers of a response",
  );
});

t.test("a stream that ends without a request is answered with its end (RFC 9114 4.1)", async (t) => {
  for (const bytes of ["", "21 00"]) {
    const { quic, connection } = createRecordedConnection("server");
    quic.arrive(0, hex(bytes), true);
    connection.handleReadable(0);
    connection.flush(0);
    t.equal(quic.reset.get(0), H3_CODE.REQUEST_INCOMPLETE, bytes);
    t.equal(connection.sessions.size, 0);
  }
});

t.test("streams of a session that is over are refused; those that waited for it too", async (t) => {
  const { quic, connection, sessions } = createRecordedConnection("server");
  quic.arrive(2, CONTROL);
  quic.arrive(0, REQUEST);
  quic.arrive(4, Buffer.concat([hex("4041 00"), Buffer.from("waits")]));
  connection.handleReadable(0);
  t.equal(quic.stopped.size, 0);
  sessions[0]?.reject(404);
  connection.flush(0);
  t.equal(quic.stopped.get(4), H3_CODE.WEBTRANSPORT_SESSION_GONE, "it waited");
  t.equal(quic.reset.get(4), H3_CODE.WEBTRANSPORT_SESSION_GONE);
  quic.arrive(6, hex("4054 00 aa"));
  connection.handleReadable(1);
  t.equal(quic.stopped.get(6), H3_CODE.WEBTRANSPORT_SESSION_GONE, "it came late");
  const client = askingClient();
  client.quic.arrive(7, hex("4054 04"));
  client.connection.handleReadable(1);
  t.equal(client.quic.stopped.get(7), H3_CODE.WEBTRANSPORT_SESSION_GONE, "a session that we never asked for");
});

t.test("a stopped CONNECT stream ends its session", async (t) => {
  const { quic, connection, log } = openServer();
  quic.stoppedByPeer.set(0, H3_CODE.WEBTRANSPORT_SESSION_GONE);
  connection.handleReadable(1);
  t.strictSame(log, ["closed 0 the peer stopped the session remote"]);
});

t.test("a response counts although the request was stopped (RFC 9114 4.1)", async (t) => {
  const { quic, connection, log } = askingClient();
  quic.stoppedByPeer.set(0, H3_CODE.NO_ERROR);
  connection.handleReadable(1);
  t.strictSame(log, []);
  quic.arrive(0, headers(createResponseFields(404)), true);
  connection.handleReadable(2);
  t.strictSame(log, ["response 404"]);
});

t.test("a session that we closed and the peer does not ends beside one that goes on", async (t) => {
  const { quic, connection, sessions, log } = openServer(2);
  quic.arrive(6, hex("4054 00 aa"));
  connection.handleReadable(1);
  sessions[0]?.close(1, "");
  connection.flush(10);
  t.equal(quic.stopped.size, 0, "Chromium must get the capsule first");
  const endsMs = connection.nextTimeoutMs ?? 0;
  connection.handleTimeout(endsMs);
  connection.flush(endsMs);
  t.equal(quic.stopped.get(6), H3_CODE.WEBTRANSPORT_SESSION_GONE);
  t.equal(quic.stopped.get(0), H3_CODE.WEBTRANSPORT_SESSION_GONE);
  t.strictSame([...connection.sessions.keys()], [4]);
  t.notOk(log.some((line) => line.startsWith("close connection")));
  t.equal(connection.nextTimeoutMs, undefined);
});

t.test(
  "GOAWAY: a server that shuts down takes no new sessions and keeps the open ones (RFC 9114 5.2)",
  async (t) => {
    const { quic, connection, sessions, log } = openServer();
    const before = quic.sent.get(3)?.bytes.byteLength ?? 0;
    connection.goAway();
    connection.goAway();
    connection.flush(1);
    t.strictSame(quic.sent.get(3)?.bytes.subarray(before), Buffer.from(encodeFrame(FRAME.GOAWAY, hex("04"))));
    t.equal(quic.sent.get(3)?.fin, false);
    quic.arrive(4, REQUEST);
    connection.handleReadable(2);
    t.equal(quic.reset.get(4), H3_CODE.REQUEST_REJECTED);
    t.equal(sessions[0]?.state, "open");
    t.strictSame(log, []);
  },
);

t.test("GOAWAY: a client gives up what the server will not answer", async (t) => {
  const { quic, connection, log } = askingClient();
  quic.arrive(3, encodeFrame(FRAME.GOAWAY, hex("fffffffffffffffc")));
  connection.handleReadable(1);
  t.strictSame(log, [], "the last stream there can be: nothing changes yet");
  quic.arrive(3, encodeFrame(FRAME.GOAWAY, hex("00")));
  connection.handleReadable(2);
  t.strictSame(log, ["closed 0 the server takes no new sessions remote"]);
});

t.test("ids in control frames keep their order and kind", async (t) => {
  const cases: [string, "client" | "server", string, number | undefined][] = [
    ["GOAWAY names no request", "client", "07 01 01", H3_CODE.ID_ERROR],
    ["GOAWAY names no request, beyond what is exact", "client", "07 08 ffffffffffffffff", H3_CODE.ID_ERROR],
    ["GOAWAY goes up", "client", "07 01 04 07 01 08", H3_CODE.ID_ERROR],
    ["GOAWAY goes down", "client", "07 01 08 07 01 04", undefined],
    ["GOAWAY of a client names a push", "server", "07 01 01", undefined],
    ["MAX_PUSH_ID goes up", "server", "0d 01 01 0d 01 02", undefined],
    ["MAX_PUSH_ID goes down", "server", "0d 01 02 0d 01 01", H3_CODE.ID_ERROR],
    ["CANCEL_PUSH to a server", "server", "03 01 00", H3_CODE.ID_ERROR],
    ["CANCEL_PUSH to a client", "client", "03 01 00", H3_CODE.ID_ERROR],
  ];
  for (const [name, role, bytes, code] of cases) {
    const { quic, connection } = createRecordedConnection(role);
    quic.arrive(role === "client" ? 3 : 2, Buffer.concat([CONTROL, hex(bytes)]));
    t.equal(
      codeOf(() => connection.handleReadable(0)),
      code,
      name,
    );
  }
});

t.test("sessions above the number in our SETTINGS are rejected", async (t) => {
  const { quic, connection, sessions } = openServer(MAX_SESSIONS);
  quic.arrive(4 * MAX_SESSIONS, REQUEST);
  connection.handleReadable(1);
  t.equal(quic.reset.get(4 * MAX_SESSIONS), H3_CODE.REQUEST_REJECTED);
  t.equal(sessions.length, MAX_SESSIONS);
  t.equal(OUR_SETTINGS.get(0xc671706a), MAX_SESSIONS);
});

t.test(
  "a request without its answer is rejected by a server that closes, cancelled by a client",
  async (t) => {
    const server = createRecordedConnection("server");
    server.quic.arrive(2, CONTROL);
    server.quic.arrive(0, REQUEST);
    server.connection.handleReadable(0);
    server.sessions[0]?.close(1, "down");
    server.connection.flush(0);
    t.equal(server.quic.reset.get(0), H3_CODE.REQUEST_REJECTED);
    const client = askingClient();
    client.connection.sessions.get(0)?.close(0, "");
    client.connection.flush(1);
    t.equal(client.quic.reset.get(0), H3_CODE.REQUEST_CANCELLED);
  },
);
