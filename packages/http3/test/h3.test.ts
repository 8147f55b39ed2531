import t from "tap";
import { createCapsuleReader, encodeCloseCapsule, encodeReason } from "#src/h3/capsule.js";
import { H3_CODE, H3Error } from "#src/h3/error.js";
import { createControlReader, createRequestReader, encodeFrame, FRAME } from "#src/h3/frame.js";
import { decodeHuffman } from "#src/h3/huffman.js";
import { decodeFieldSection, encodeFieldSection, type Field } from "#src/h3/qpack.js";
import { checkEncoderInstructions, DecoderStreamChecker } from "#src/h3/qpack-streams.js";
import { decodeSettings, encodeSettings, OUR_SETTINGS, supportsWebTransport } from "#src/h3/settings.js";
import { decodeVarint, encodeVarint, varintBytes } from "#src/h3/varint.js";
import { decodeErrorCode, encodeErrorCode } from "#src/webtransport/error-code.js";

const hex = (text: string) => Uint8Array.from(Buffer.from(text.replaceAll(" ", ""), "hex"));
const toHex = (bytes: Uint8Array) => Buffer.from(bytes).toString("hex");

function codeOf(run: () => unknown): number | undefined {
  try {
    run();
  } catch (error) {
    return error instanceof H3Error ? error.code : -1;
  }
  return undefined;
}

t.test("varints: RFC 9000 appendix A.1", async (t) => {
  t.equal(decodeVarint(hex("c2197c5eff14e88c"), 0), Number(151288809941952652n));
  t.equal(decodeVarint(hex("9d7f3e7d"), 0), 494878333);
  t.equal(decodeVarint(hex("7bbd"), 0), 15293);
  t.equal(decodeVarint(hex("25"), 0), 37);
  t.equal(decodeVarint(hex("4025"), 0), 37);
  t.equal(decodeVarint(hex("9d7f3e"), 0), -1, "cut short");
  for (const value of [0, 63, 64, 16383, 16384, 2 ** 30 - 1, 2 ** 30, 2 ** 53 - 1]) {
    const bytes = new Uint8Array(8);
    const end = encodeVarint(bytes, 0, value);
    t.equal(end, varintBytes(value));
    t.equal(decodeVarint(bytes, 0), value);
  }
  t.throws(() => encodeVarint(new Uint8Array(8), 0, -1), RangeError);
});

t.test("Huffman: RFC 7541 appendix C", async (t) => {
  const examples = {
    f1e3c2e5f23a6ba0ab90f4ff: "www.example.com",
    a8eb10649cbf: "no-cache",
    "25a849e95ba97d7f": "custom-key",
    "25a849e95bb8e8b4bf": "custom-value",
    "6402": "302",
    aec3771a4b: "private",
    d07abe941054d444a8200595040b8166e082a62d1bff: "Mon, 21 Oct 2013 20:13:21 GMT",
    "9d29ad171863c78f0b97c8e9ae82ae43d3": "https://www.example.com",
  };
  for (const [encoded, text] of Object.entries(examples)) {
    t.equal(Buffer.from(decodeHuffman(hex(encoded))).toString(), text);
  }
  t.equal(
    codeOf(() => decodeHuffman(hex("ffffffff"))),
    H3_CODE.QPACK_DECOMPRESSION_FAILED,
    "end of string",
  );
  t.equal(
    codeOf(() => decodeHuffman(hex("1f00"))),
    H3_CODE.QPACK_DECOMPRESSION_FAILED,
    "padding of zeros",
  );
});

t.test("QPACK: RFC 9204 appendix B.1, and what needs a dynamic table", async (t) => {
  t.strictSame(decodeFieldSection(hex("0000 510b 2f69 6e64 6578 2e68 746d 6c")), [[":path", "/index.html"]]);
  t.strictSame(decodeFieldSection(hex("0000 d1 d7")), [
    [":method", "GET"],
    [":scheme", "https"],
  ]);
  const fields: Field[] = [
    [":method", "CONNECT"],
    [":authority", "example.com:4433"],
    ["x-long", "y".repeat(1000)],
    ["authorization", "Bearer ü"],
  ];
  t.strictSame(decodeFieldSection(encodeFieldSection(fields)), fields);
  for (const bad of [
    "0381 10 11",
    "0000 80",
    "0000 10",
    "0000 00",
    "0000 ff ff ff ff ff 7f",
    "0000 51 7f",
    "00",
    "0080 d1",
    "",
  ]) {
    t.equal(
      codeOf(() => decodeFieldSection(hex(bad))),
      H3_CODE.QPACK_DECOMPRESSION_FAILED,
      bad,
    );
  }
});

t.test("settings", async (t) => {
  t.strictSame(decodeSettings(encodeSettings(OUR_SETTINGS)), new Map(OUR_SETTINGS));
  t.ok(supportsWebTransport(OUR_SETTINGS));
  for (const missing of [0x08, 0x2b603742]) {
    const settings = new Map(OUR_SETTINGS);
    settings.delete(missing);
    settings.delete(0xc671706a);
    t.notOk(supportsWebTransport(settings), `without 0x${missing.toString(16)}`);
  }
  t.notOk(supportsWebTransport(new Map([...OUR_SETTINGS].filter(([id]) => id !== 0x33 && id !== 0xffd277))));
  for (const id of ["08", "33", "ac7cf000"]) {
    t.equal(
      codeOf(() => decodeSettings(hex(`${id} 02`))),
      H3_CODE.SETTINGS_ERROR,
      `setting ${id} of 2`,
    );
  }
  const grease = hex("ffffffffffffffff ffffffffffffffff 3301");
  t.equal(decodeSettings(grease).get(0x33), 1, "varints above 2^53 are ignored");
  t.equal(
    codeOf(() => decodeSettings(hex("3301 3301"))),
    H3_CODE.SETTINGS_ERROR,
  );
  t.equal(
    codeOf(() => decodeSettings(hex("0201"))),
    H3_CODE.SETTINGS_ERROR,
  );
  t.equal(
    codeOf(() => decodeSettings(hex("33"))),
    H3_CODE.FRAME_ERROR,
  );
});

function readFrames(
  kind: "control" | "request",
  bytes: Uint8Array,
  step = bytes.byteLength,
  role: "client" | "server" = "server",
): string[] {
  const seen: string[] = [];
  const reader =
    kind === "control"
      ? createControlReader(role, {
          onSettings: (payload) => seen.push(`settings ${toHex(payload)}`),
          onGoaway: (id) => seen.push(`goaway ${id}`),
          onCancelPush: (id) => seen.push(`cancel push ${id}`),
          onMaxPushId: (id) => seen.push(`max push id ${id}`),
        })
      : createRequestReader(role, {
          onHeaders: (section) => seen.push(`headers ${toHex(section)}`),
          onData: (data) => seen.push(`data ${toHex(data)}`),
        });
  for (let i = 0; i < bytes.byteLength; i += step) reader.push(bytes.subarray(i, i + step));
  return seen;
}

t.test("frames", async (t) => {
  const bytes = Buffer.concat([
    encodeFrame(0x21, hex("aabb")),
    encodeFrame(FRAME.HEADERS, hex("0000d1")),
    encodeFrame(FRAME.DATA, hex("01")),
    encodeFrame(0x1f * 7 + 0x21, new Uint8Array(0)),
  ]);
  t.strictSame(readFrames("request", bytes), ["headers 0000d1", "data 01"]);
  t.strictSame(readFrames("request", bytes, 1), ["headers 0000d1", "data 01"], "byte by byte");
  t.strictSame(readFrames("control", encodeFrame(FRAME.SETTINGS, hex("3301"))), ["settings 3301"]);
  const cases: [string, "control" | "request", Uint8Array, number][] = [
    ["control without SETTINGS", "control", encodeFrame(FRAME.GOAWAY, hex("00")), H3_CODE.MISSING_SETTINGS],
    ["SETTINGS twice", "control", hex("0400 0400"), H3_CODE.FRAME_UNEXPECTED],
    ["DATA on control", "control", hex("0400 0001ff"), H3_CODE.FRAME_UNEXPECTED],
    ["SETTINGS on request", "request", hex("0400"), H3_CODE.FRAME_UNEXPECTED],
    ["DATA before HEADERS", "request", hex("0001ff"), H3_CODE.FRAME_UNEXPECTED],
    ["HTTP/2 PING", "request", hex("0600"), H3_CODE.FRAME_UNEXPECTED],
    ["PUSH_PROMISE from a client", "request", hex("0500"), H3_CODE.FRAME_UNEXPECTED],
    ["GOAWAY on request", "request", hex("070100"), H3_CODE.FRAME_UNEXPECTED],
    ["GOAWAY without an id", "control", hex("0400 0700"), H3_CODE.FRAME_ERROR],
    ["GOAWAY with an id cut short", "control", hex("0400 070140"), H3_CODE.FRAME_ERROR],
    ["GOAWAY with more than an id", "control", hex("0400 07020000"), H3_CODE.FRAME_ERROR],
    ["GOAWAY far too long", "control", hex("0400 0709"), H3_CODE.FRAME_ERROR],
    ["WebTransport signal on control", "control", hex("0400 404100"), H3_CODE.FRAME_ERROR],
    ["WebTransport signal after HEADERS", "request", hex("0100 404100"), H3_CODE.FRAME_ERROR],
    ["HEADERS of 1 GiB", "request", hex("01 c000000040000000"), H3_CODE.EXCESSIVE_LOAD],
  ];
  for (const [name, kind, bad, code] of cases)
    t.equal(
      codeOf(() => readFrames(kind, bad)),
      code,
      name,
    );
  t.strictSame(readFrames("control", hex("0400 070104 0d0101")), ["settings ", "goaway 4", "max push id 1"]);
  for (const [name, kind, bad, code] of [
    ["PUSH_PROMISE from a server", "request", "0500", H3_CODE.ID_ERROR],
    ["MAX_PUSH_ID from a server", "control", "0400 0d0100", H3_CODE.FRAME_UNEXPECTED],
  ] as const) {
    t.equal(
      codeOf(() => readFrames(kind, hex(bad), undefined, "client")),
      code,
      name,
    );
  }
});

t.test("QPACK streams: nothing of a dynamic table", async (t) => {
  const decoder = (...pieces: string[]) => {
    const checker = new DecoderStreamChecker();
    for (const piece of pieces) checker.push(hex(piece));
  };
  t.doesNotThrow(() => decoder("41 7f", "80", "01 42"), "cancellations mean nothing, in any pieces");
  for (const bad of ["80", "00", "01", "3f", "41 81", "7f ffffffffffffffffffffff"]) {
    t.equal(
      codeOf(() => decoder(bad)),
      H3_CODE.QPACK_DECODER_STREAM_ERROR,
      bad,
    );
  }
  t.doesNotThrow(() => checkEncoderInstructions(hex("20 20")));
  for (const bad of ["3f", "21", "c0", "40", "00"]) {
    t.equal(
      codeOf(() => checkEncoderInstructions(hex(bad))),
      H3_CODE.QPACK_ENCODER_STREAM_ERROR,
      bad,
    );
  }
});

function readCapsules(bytes: Uint8Array): string[] {
  const seen: string[] = [];
  createCapsuleReader({
    onDatagram: (payload) => seen.push(`datagram ${toHex(payload)}`),
    onClose: (code, reason) => seen.push(`close ${code} ${reason}`),
    onDrain: () => seen.push("drain"),
  }).push(bytes);
  return seen;
}

t.test("capsules", async (t) => {
  t.strictSame(readCapsules(encodeCloseCapsule(4_294_967_295, "grüße")), ["close 4294967295 grüße"]);
  t.strictSame(readCapsules(hex("800078ae00")), ["drain"]);
  t.strictSame(readCapsules(hex("17 02 ffff 800078ae 00")), ["drain"], "unknown ones are skipped");
  t.equal(
    codeOf(() => readCapsules(hex("6843 03 000000"))),
    H3_CODE.MESSAGE_ERROR,
  );
  t.strictSame(readCapsules(hex("00 02 aabb")), ["datagram aabb"]);
  for (const [name, bad] of [
    ["DRAIN with content", "800078ae 01 00"],
    ["reason that is not UTF-8", "6843 05 00000000 ff"],
    ["something after CLOSE", "6843 04 00000000 1700"],
    ["MAX_STREAM_DATA of HTTP/2", "990b4d3e 00"],
  ] as const) {
    t.equal(
      codeOf(() => readCapsules(hex(bad))),
      H3_CODE.MESSAGE_ERROR,
      name,
    );
  }
  t.equal(
    codeOf(() => readCapsules(hex("6843 80000405"))),
    H3_CODE.MESSAGE_ERROR,
    "reason too long",
  );
  t.equal(encodeReason("ü".repeat(600)).byteLength, 1024);
  t.equal(new TextDecoder("utf-8", { fatal: true }).decode(encodeReason(`x${"ü".repeat(600)}`)).length, 512);
});

t.test("application error codes skip the reserved ones", async (t) => {
  t.equal(encodeErrorCode(0), 0x52e4a40fa8db);
  t.equal(encodeErrorCode(0xffff_ffff), 0x52e5ac983162);
  for (const code of [0, 1, 29, 30, 31, 59, 60, 1000, 0x7fff_ffff, 0xffff_ffff]) {
    const encoded = encodeErrorCode(code);
    t.not((encoded - 0x21) % 0x1f, 0, "not reserved");
    t.equal(decodeErrorCode(encoded), code);
  }
  t.equal(decodeErrorCode(0x52e4a40fa8da), undefined);
  t.equal(decodeErrorCode(0x100), undefined);
});
