import t from "tap";
import { H3_CODE } from "#src/h3/error.js";
import { encodeFrame, FRAME } from "#src/h3/frame.js";
import { encodeFieldSection, type Field } from "#src/h3/qpack.js";
import { encodeSettings, OUR_SETTINGS } from "#src/h3/settings.js";
import { createResponseFields } from "#src/webtransport/request.js";
import { createRecordedConnection } from "./recorded-connection.js";

const hex = (value: string) => Buffer.from(value.replaceAll(" ", ""), "hex");
const headers = (fields: readonly Field[]) => encodeFrame(FRAME.HEADERS, encodeFieldSection(fields));
const CONTROL = Buffer.concat([hex("00"), encodeFrame(FRAME.SETTINGS, encodeSettings(OUR_SETTINGS))]);

const GOOD: readonly Field[] = [
  [":method", "CONNECT"],
  [":protocol", "webtransport"],
  [":scheme", "https"],
  [":authority", "a:1"],
  [":path", "/p"],
];
const without = (name: string) => GOOD.filter((field) => field[0] !== name);
const replacing = (name: string, value: string) =>
  GOOD.map((field): Field => [field[0], field[0] === name ? value : field[1]]);

t.test("a malformed request is an error of its stream, and of nothing else (RFC 9114 4.1.2)", async (t) => {
  const cases: [string, readonly Field[]][] = [
    ["no :method", without(":method")],
    ["no :scheme", without(":scheme")],
    ["no :path", without(":path")],
    ["no :authority and no host", without(":authority")],
    ["empty :path", replacing(":path", "")],
    ["relative :path", replacing(":path", "p")],
    ["empty :authority", replacing(":authority", "")],
    ["user information", replacing(":authority", "me@a:1")],
    ["host that differs", [...GOOD, ["host", "b:1"]]],
    [":path twice", [...GOOD, [":path", "/p"]]],
    ["pseudo-header field at the end", [...without(":path"), ["x", "y"], [":path", "/p"]]],
    ["unknown pseudo-header field", [[":x", "y"], ...GOOD]],
    [":status in a request", [[":status", "200"], ...GOOD]],
    [":protocol with GET", replacing(":method", "GET")],
    ["plain CONNECT with :path", without(":protocol")],
    ["upper case", [...GOOD, ["X-Name", "y"]]],
    ["white space in a name", [...GOOD, ["x y", "z"]]],
    ["empty name", [...GOOD, ["", "z"]]],
    ["line break in a value", [...GOOD, ["x", "a\r\nb"]]],
    ["NUL in a value", [...GOOD, ["x", "a\0"]]],
    ["white space at the end of a value", [...GOOD, ["x", "a "]]],
    ["connection", [...GOOD, ["connection", "close"]]],
    ["transfer-encoding", [...GOOD, ["transfer-encoding", "chunked"]]],
    ["te", [...GOOD, ["te", "gzip"]]],
    ["content-length beside capsules", [...GOOD, ["content-length", "0"]]],
    ["content-type beside capsules", [...GOOD, ["content-type", "text/plain"]]],
  ];
  for (const [name, fields] of cases) {
    const { quic, connection, sessions, log } = createRecordedConnection("server");
    quic.arrive(2, CONTROL);
    quic.arrive(0, headers(fields));
    quic.arrive(4, headers(GOOD));
    connection.handleReadable(0);
    connection.flush(0);
    t.equal(quic.reset.get(0), H3_CODE.MESSAGE_ERROR, name);
    t.equal(quic.stopped.get(0), H3_CODE.MESSAGE_ERROR, name);
    t.strictSame(
      sessions.map((session) => session.id),
      [4],
      "the session beside it opens",
    );
    t.strictSame(log, ["ready", "request a:1/p"]);
  }
});

t.test("what is unusual and right is taken", async (t) => {
  const cases: [string, readonly Field[]][] = [
    ["host in place of :authority", [...without(":authority"), ["host", "a:1"]]],
    ["host that says the same", [...GOOD, ["host", "a:1"]]],
    ["te: trailers", [...GOOD, ["te", "trailers"]]],
    ["the token of later drafts", replacing(":protocol", "webtransport-h3")],
    ["an empty value", [...GOOD, ["x", ""]]],
  ];
  for (const [name, fields] of cases) {
    const { quic, connection, log } = createRecordedConnection("server");
    quic.arrive(2, CONTROL);
    quic.arrive(0, headers(fields));
    connection.handleReadable(0);
    t.strictSame(log, ["ready", "request a:1/p"], name);
  }
});

t.test("cookies are joined as cookies, other fields as lists", async (t) => {
  const { quic, connection, requests } = createRecordedConnection("server");
  quic.arrive(2, CONTROL);
  quic.arrive(0, headers([...GOOD, ["cookie", "a=1"], ["x", "1"], ["cookie", "b=2"], ["x", "2"]]));
  connection.handleReadable(0);
  t.equal(requests[0]?.headers.get("cookie"), "a=1; b=2");
  t.equal(requests[0]?.headers.get("x"), "1, 2");
});

t.test("a malformed response is an error of its stream", async (t) => {
  const cases: [string, Field[]][] = [
    ["no status", []],
    ["status of two digits", [[":status", "20"]]],
    [
      "status twice",
      [
        [":status", "200"],
        [":status", "200"],
      ],
    ],
    ["101", [[":status", "101"]]],
    ["204", [[":status", "204"]]],
    ["205", [[":status", "205"]]],
    ["206", [[":status", "206"]]],
    [
      ":path in a response",
      [
        [":status", "200"],
        [":path", "/"],
      ],
    ],
    [
      "content-length beside capsules",
      [
        [":status", "200"],
        ["content-length", "3"],
      ],
    ],
  ];
  for (const [name, fields] of cases) {
    const { quic, connection, log } = createRecordedConnection("client");
    quic.arrive(3, CONTROL);
    connection.handleReadable(0);
    connection.openSession({ authority: "a:1", path: "/p", headers: new Map() });
    connection.flush(0);
    quic.arrive(0, headers(fields));
    connection.handleReadable(1);
    connection.flush(1);
    t.equal(quic.reset.get(0), H3_CODE.MESSAGE_ERROR, name);
    t.match(log.at(-1), /^closed 0 closed on a protocol error.* transport$/, name);
  }
});

t.test("field sections above the limit of our SETTINGS end their request", async (t) => {
  const many: Field[] = Array.from({ length: 600 }, (_, i): Field => [`n${i}`, ""]);
  const cases: [string, Uint8Array][] = [
    ["as it is encoded", hex("01 80004001")],
    ["as it is reckoned", headers([...GOOD, ...many])],
  ];
  for (const [name, bytes] of cases) {
    const { quic, connection } = createRecordedConnection("server");
    quic.arrive(0, bytes);
    connection.handleReadable(0);
    connection.flush(0);
    t.equal(quic.reset.get(0), H3_CODE.EXCESSIVE_LOAD, name);
  }
  t.equal(OUR_SETTINGS.get(0x06), 16_384);
});

t.test("a refused request may go on; nobody listens", async (t) => {
  const { quic, connection, log } = createRecordedConnection("server");
  quic.arrive(2, CONTROL);
  quic.arrive(
    0,
    Buffer.concat([
      headers([
        [":method", "POST"],
        [":scheme", "https"],
        [":authority", "a"],
        [":path", "/"],
      ]),
      hex("00 02 aabb"),
    ]),
  );
  connection.handleReadable(0);
  connection.flush(0);
  t.strictSame(quic.sent.get(0)?.bytes, Buffer.from(headers(createResponseFields(405))));
  t.equal(quic.stopped.get(0), H3_CODE.NO_ERROR);
  quic.arrive(0, hex("00 01 cc"), true);
  connection.handleReadable(1);
  t.strictSame(log, ["ready"]);
});
