import t from "tap";
import { encodeFrame, FRAME } from "#src/h3/frame.js";
import { encodeFieldSection } from "#src/h3/qpack.js";
import { encodeSettings, OUR_SETTINGS } from "#src/h3/settings.js";
import { createConnectFields } from "#src/webtransport/request.js";
import { createRecordedConnection } from "./recorded-connection.js";

const HEADER_BYTES = 3;

/** A server with an open session, of which all that is sent counts from here on. */
function openServer() {
  const recorded = createRecordedConnection("server");
  const settings = encodeFrame(FRAME.SETTINGS, encodeSettings(OUR_SETTINGS));
  recorded.quic.arrive(2, Buffer.concat([Uint8Array.of(0), settings]));
  const fields = createConnectFields({ authority: "a:1", path: "/", headers: new Map() });
  recorded.quic.arrive(0, encodeFrame(FRAME.HEADERS, encodeFieldSection(fields)));
  recorded.connection.handleReadable(0);
  const session = recorded.sessions[0]!;
  session.accept();
  recorded.connection.flush(0);
  recorded.quic.offers = 0;
  return { ...recorded, session };
}

t.test("who asked first is served first, and a full connection is not offered every stream", async (t) => {
  const { quic, connection, session } = openServer();
  quic.room = 0;
  for (let i = 1; i <= 8; i++)
    connection.send(connection.openStream(session, -i, false), new Uint8Array(1_000).fill(i), true);
  t.ok(connection.flush(1), "there is something to send");
  t.equal(quic.offers, 0);
  const sentOn = (index: number) => quic.sent.get(7 + 4 * index)?.bytes.byteLength ?? 0;
  quic.room = 1_500;
  connection.flush(2);
  t.strictSame([0, 1, 2].map(sentOn), [1_000 + HEADER_BYTES, 500 - HEADER_BYTES, 0]);
  // Header and bytes of the first, header and a part of the second.
  t.equal(quic.offers, 4);
  for (let round = 0; round < 7; round++) {
    quic.room = 1_000 + HEADER_BYTES;
    connection.flush(3);
  }
  for (let i = 0; i < 8; i++) {
    const { bytes, fin } = quic.sent.get(7 + 4 * i)!;
    t.ok(fin && bytes.subarray(HEADER_BYTES).every((byte) => byte === i + 1), `stream ${i} is whole`);
  }
  t.notOk(connection.flush(4));
});

t.test("the end of a stream takes no room", async (t) => {
  const { quic, connection, session } = openServer();
  const stream = connection.openStream(session, -1, false);
  connection.send(stream, new Uint8Array(10), false);
  connection.flush(1);
  quic.room = 0;
  const other = connection.openStream(session, -2, false);
  connection.send(other, new Uint8Array(10), true);
  connection.send(stream, new Uint8Array(0), true);
  connection.flush(2);
  t.equal(quic.sent.get(7)?.fin, true);
  t.notOk(quic.sent.has(11));
});

t.test("a stream that was reset while it waited leaves its place to the next", async (t) => {
  const { quic, connection, session } = openServer();
  quic.room = 500;
  const first = connection.openStream(session, -1, false);
  const second = connection.openStream(session, -2, false);
  connection.send(first, new Uint8Array(1_000), true);
  connection.send(second, new Uint8Array(100), true);
  connection.flush(1);
  connection.resetStream(first, 7);
  quic.room = 500;
  connection.flush(2);
  t.equal(quic.sent.get(7)?.bytes.byteLength, 500);
  t.ok(quic.reset.has(7));
  t.equal(quic.sent.get(11)?.bytes.byteLength, 100 + HEADER_BYTES);
  t.equal(quic.sent.get(11)?.fin, true);
});

t.test("the memory of large pieces is given back once the engine has all of them", async (t) => {
  const { quic, connection, session } = openServer();
  const stream = connection.openStream(session, -1, false);
  const pieces = [new Uint8Array(10_000).fill(1), new Uint8Array(10_000).fill(2)];
  for (const piece of pieces) connection.send(stream, piece, false);
  quic.room = 15_000;
  connection.flush(1);
  t.strictSame(
    pieces.map(({ byteLength }) => byteLength),
    [0, 10_000],
  );
  quic.room = 15_000;
  connection.flush(2);
  t.equal(pieces[1]?.byteLength, 0);
  const bytes = quic.sent.get(7)!.bytes.subarray(HEADER_BYTES);
  t.ok(bytes.length === 20_000 && bytes.every((byte, i) => byte === (i < 10_000 ? 1 : 2)));
});
