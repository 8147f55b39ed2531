import t from "tap";
import { encodeCloseCapsule } from "#src/h3/capsule.js";
import { H3_CODE, H3Error } from "#src/h3/error.js";
import { encodeFrame, FRAME } from "#src/h3/frame.js";
import { encodeFieldSection, type Field } from "#src/h3/qpack.js";
import { encodeSettings, OUR_SETTINGS } from "#src/h3/settings.js";
import { encodeErrorCode } from "#src/webtransport/error-code.js";
import { createConnectFields, createResponseFields } from "#src/webtransport/request.js";
import { createRecordedConnection } from "./recorded-connection.js";

const text = (value: string) => Buffer.from(value);
const hex = (value: string) => Buffer.from(value.replaceAll(" ", ""), "hex");
const headers = (fields: readonly Field[]) => encodeFrame(FRAME.HEADERS, encodeFieldSection(fields));
const CONTROL = Buffer.concat([hex("00"), encodeFrame(FRAME.SETTINGS, encodeSettings(OUR_SETTINGS))]);
const REQUEST = headers(createConnectFields({ authority: "a:1", path: "/p", headers: new Map() }));

function codeOf(run: () => void): number | undefined {
  try {
    run();
  } catch (error) {
    return error instanceof H3Error ? error.code : -1;
  }
  return undefined;
}

/** A server with one open session on stream 0. */
function openServer() {
  const recorded = createRecordedConnection("server");
  recorded.quic.arrive(2, CONTROL);
  recorded.quic.arrive(0, REQUEST);
  recorded.connection.handleReadable(0);
  const session = recorded.sessions[0];
  if (session === undefined) throw new Error("no request");
  session.accept();
  recorded.connection.flush(0);
  recorded.log.length = 0;
  return { ...recorded, session };
}

t.test("server: request, response, streams, datagrams", async (t) => {
  const { quic, log, connection, session } = openServer();
  t.strictSame(quic.sent.get(0)?.bytes, Buffer.from(headers(createResponseFields(200))));
  t.strictSame(quic.sent.get(3)?.bytes, CONTROL, "control stream with our settings");
  quic.arrive(6, Buffer.concat([hex("4054 00"), text("uni")]), true);
  quic.arrive(4, Buffer.concat([hex("4041 00"), text("bidi")]));
  quic.datagrams = [Buffer.concat([hex("00"), text("dg")]), Buffer.concat([hex("05"), text("other")])];
  connection.handleReadable(1);
  t.strictSame(log, ["datagram dg", "uni 6", "data 6 uni fin", "bidi 4", "data 4 bidi"]);
  t.equal(connection.droppedDatagrams, 1, "a datagram of no session is dropped and counted");
  const stream = connection.openStream(session, -1, false);
  connection.send(stream, text("out"), true);
  connection.flush(2);
  t.strictSame(quic.sent.get(7), { bytes: Buffer.concat([hex("4054 00"), text("out")]), fin: true });
});

t.test("streams that come before their session wait for it, a bounded number of them", async (t) => {
  const { quic, log, connection, sessions } = createRecordedConnection("server");
  quic.arrive(2, CONTROL);
  for (let i = 0; i < 40; i++) quic.arrive(6 + 4 * i, Buffer.concat([hex("4054 00"), text(`s${i}`)]), true);
  connection.handleReadable(0);
  t.strictSame(log, ["ready"]);
  t.equal(quic.stopped.size, 8);
  t.equal(quic.stopped.get(6 + 4 * 39), H3_CODE.WEBTRANSPORT_BUFFERED_STREAM_REJECTED);
  quic.arrive(0, REQUEST);
  connection.handleReadable(1);
  const session = sessions[0];
  session?.accept();
  if (session !== undefined) connection.adoptEarlyStreams(session);
  t.equal(log.filter((line) => line.startsWith("uni")).length, 32);
});

t.test("a close by the peer ends the session, and streams with it", async (t) => {
  const { quic, log, connection } = openServer();
  quic.arrive(6, Buffer.concat([hex("4054 00"), text("x")]));
  connection.handleReadable(1);
  quic.arrive(0, encodeFrame(FRAME.DATA, encodeCloseCapsule(7, "bye")), true);
  connection.handleReadable(2);
  connection.flush(2);
  t.strictSame(log, ["uni 6", "data 6 x", "closed 7 bye remote"]);
  t.equal(quic.stopped.get(6), H3_CODE.WEBTRANSPORT_SESSION_GONE);
  t.equal(quic.sent.get(0)?.fin, true);
  connection.handleTimeout((connection.nextTimeoutMs ?? 0) + 1);
  t.equal(log.at(-1), "close connection 0x100");
});

t.test("a close by us waits for the peer's end, but not for long", async (t) => {
  for (const answers of [true, false]) {
    const { quic, log, connection, session } = openServer();
    session.close(9, "done");
    connection.flush(10);
    t.equal(log.at(-1), "closed 9 done local");
    const capsule = encodeFrame(FRAME.DATA, encodeCloseCapsule(9, "done"));
    t.ok(Buffer.from(quic.sent.get(0)?.bytes ?? []).includes(Buffer.from(capsule)));
    connection.handleTimeout(11);
    t.equal(log.at(-1), "closed 9 done local");
    if (answers) {
      quic.arrive(0, new Uint8Array(0), true);
      connection.handleReadable(12);
    }
    // A browser gets some time to pass the capsule on.
    connection.handleTimeout(answers ? 212 : 1000);
    t.equal(log.at(-1), "close connection 0x100");
  }
});

t.test("resets carry application codes; those of a session that is gone are silent", async (t) => {
  const { quic, log, connection } = openServer();
  for (const id of [6, 10]) quic.arrive(id, Buffer.concat([hex("4054 00"), text("x")]));
  connection.handleReadable(1);
  log.length = 0;
  quic.arriveReset(6, encodeErrorCode(1234));
  quic.arriveReset(10, H3_CODE.WEBTRANSPORT_SESSION_GONE);
  connection.handleReadable(2);
  t.strictSame(log, ["reset 6 1234"]);
});

t.test("requests that open no session get their status", async (t) => {
  const cases: [Field[], number][] = [
    [
      [
        [":method", "GET"],
        [":scheme", "https"],
        [":authority", "a"],
        [":path", "/"],
      ],
      405,
    ],
    [
      [
        [":method", "CONNECT"],
        [":protocol", "websocket"],
        [":scheme", "https"],
        [":authority", "a"],
        [":path", "/"],
      ],
      501,
    ],
    [
      [
        [":method", "CONNECT"],
        [":authority", "a:443"],
      ],
      501,
    ],
    [
      [
        [":method", "CONNECT"],
        [":protocol", "webtransport"],
        [":scheme", "http"],
        [":authority", "a"],
        [":path", "/"],
      ],
      400,
    ],
  ];
  for (const [fields, status] of cases) {
    const { quic, connection } = createRecordedConnection("server");
    quic.arrive(0, headers(fields));
    connection.handleReadable(0);
    connection.flush(0);
    t.strictSame(
      quic.sent.get(0)?.bytes,
      Buffer.from(headers(createResponseFields(status))),
      `status ${status}`,
    );
    t.equal(quic.sent.get(0)?.fin, true);
  }
});

t.test("client: asks after the server's settings, takes interim and final responses", async (t) => {
  const { quic, log, connection } = createRecordedConnection("client");
  quic.arrive(3, CONTROL);
  connection.handleReadable(0);
  t.strictSame(log, ["ready"]);
  connection.openSession({ authority: "a:1", path: "/p", headers: new Map() });
  connection.flush(0);
  t.strictSame(quic.sent.get(0)?.bytes, Buffer.from(REQUEST));
  quic.arrive(0, Buffer.concat([headers([[":status", "103"]]), headers(createResponseFields(200))]));
  connection.handleReadable(1);
  t.strictSame(log, ["ready", "response 200"]);
});

t.test("a violation throws the HTTP/3 error code that closes the connection", async (t) => {
  const cases: [string, "client" | "server", number, string, boolean, number][] = [
    ["control stream closed", "server", 2, "00 0400", true, H3_CODE.CLOSED_CRITICAL_STREAM],
    ["control stream without SETTINGS", "server", 2, "00 0700", false, H3_CODE.MISSING_SETTINGS],
    ["push stream from a client", "server", 2, "01 00", false, H3_CODE.STREAM_CREATION_ERROR],
    ["push stream from a server", "client", 3, "01 00", false, H3_CODE.ID_ERROR],
    ["request from a server", "client", 1, "01 00", false, H3_CODE.STREAM_CREATION_ERROR],
    ["insertion into the table", "server", 2, "02 c0", false, H3_CODE.QPACK_ENCODER_STREAM_ERROR],
    ["session id of no request stream", "server", 2, "4054 01", false, H3_CODE.ID_ERROR],
    ["DATA before HEADERS", "server", 0, "00 01 ff", false, H3_CODE.FRAME_UNEXPECTED],
    ["dynamic table reference", "server", 0, "01 03 0000 80", false, H3_CODE.QPACK_DECOMPRESSION_FAILED],
    ["request cut short", "server", 0, "01 09 00", true, H3_CODE.FRAME_ERROR],
    [
      "no WebTransport in the settings",
      "client",
      3,
      "00 0400",
      false,
      H3_CODE.WEBTRANSPORT_REQUIREMENTS_NOT_MET,
    ],
    ["second control stream", "server", 6, "00 0400", false, H3_CODE.STREAM_CREATION_ERROR],
    ["second encoder stream", "server", 10, "02", false, H3_CODE.STREAM_CREATION_ERROR],
    ["second decoder stream", "server", 14, "03", false, H3_CODE.STREAM_CREATION_ERROR],
    [
      "acknowledgement on the decoder stream",
      "server",
      14,
      "03 80",
      false,
      H3_CODE.QPACK_DECODER_STREAM_ERROR,
    ],
    [
      "session id that is too large to be exact",
      "server",
      6,
      "4054 ffffffffffffffff",
      false,
      H3_CODE.ID_ERROR,
    ],
    ["request cut short in its type", "server", 0, "40", true, H3_CODE.FRAME_ERROR],
  ];
  for (const [name, role, id, bytes, fin, code] of cases) {
    const { quic, connection } = createRecordedConnection(role);
    if (name.startsWith("second")) {
      for (const [first, type] of Object.entries({ 2: "00 0400", 18: "02", 22: "03" }))
        quic.arrive(Number(first), hex(type));
    }
    quic.arrive(id, hex(bytes), fin);
    t.equal(
      codeOf(() => connection.handleReadable(0)),
      code,
      name,
    );
  }
  const { quic, connection } = openServer();
  for (const [name, datagram] of [
    ["without an id", ""],
    ["with an id cut short", "c0"],
    ["of stream 2^62", "d000000000000000"],
  ] as const) {
    quic.datagrams = [hex(datagram)];
    t.equal(
      codeOf(() => connection.handleReadable(0)),
      H3_CODE.DATAGRAM_ERROR,
      `datagram ${name}`,
    );
  }
  quic.datagrams = [hex("cfffffffffffffff")];
  t.equal(
    codeOf(() => connection.handleReadable(0)),
    undefined,
    "a datagram of the last stream there can be is dropped",
  );
  quic.stoppedByPeer.set(3, 0);
  t.equal(
    codeOf(() => connection.handleReadable(0)),
    H3_CODE.CLOSED_CRITICAL_STREAM,
    "our control stream stopped",
  );
});

t.test("unknown streams are refused, and cost nothing else", async (t) => {
  const { quic, log, connection } = openServer();
  quic.arrive(14, hex("21 ffff"), true);
  connection.handleReadable(0);
  t.equal(quic.stopped.get(14), H3_CODE.STREAM_CREATION_ERROR);
  t.strictSame(log, []);
});

t.test(
  "padding is a reserved frame on the control stream, after the settings, and peers skip it",
  async (t) => {
    const { quic, connection } = createRecordedConnection("server");
    t.equal(connection.pad(1350), false, "the settings go first");
    connection.flush(0);
    t.equal(connection.pad(1350), true);
    const sent = quic.sent.get(3)?.bytes ?? new Uint8Array(0);
    t.strictSame([...sent.subarray(0, CONTROL.byteLength)], [...CONTROL]);
    t.strictSame([...sent.subarray(CONTROL.byteLength, CONTROL.byteLength + 3)], [0x21, 0x45, 0x46]);
    t.equal(sent.byteLength, CONTROL.byteLength + 3 + 1350);
    const peer = createRecordedConnection("client");
    peer.quic.arrive(3, sent);
    peer.connection.handleReadable(0);
    peer.quic.arrive(3, encodeFrame(FRAME.GOAWAY, hex("00")));
    t.equal(
      codeOf(() => peer.connection.handleReadable(1)),
      undefined,
      "what follows is read",
    );
  },
);
