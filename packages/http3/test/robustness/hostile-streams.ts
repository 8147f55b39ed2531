import { CAPSULE, encodeCloseCapsule } from "#src/h3/capsule.js";
import { H3_CODE } from "#src/h3/error.js";
import { encodeFrame, FRAME } from "#src/h3/frame.js";
import { encodeFieldSection, type Field } from "#src/h3/qpack.js";
import { encodeSettings, OUR_SETTINGS } from "#src/h3/settings.js";
import { encodeVarint, varintBytes } from "#src/h3/varint.js";
import { createConnectFields, createResponseFields } from "#src/webtransport/request.js";
import type { Draw } from "./draw.js";

/** Bytes for one stream that a client opens. */
export interface HostileStream {
  readonly name: string;
  readonly isBidirectional: boolean;
  readonly bytes: Uint8Array;
  readonly fin: boolean;
  /** The connection error that it has to end in where it is the first thing that is wrong; else anything goes. */
  readonly code?: number;
}

const hex = (text: string) => Buffer.from(text.replaceAll(" ", ""), "hex");
const varint = (value: number) => {
  const bytes = Buffer.alloc(varintBytes(value));
  encodeVarint(bytes, 0, value);
  return bytes;
};
const FIELDS = createConnectFields({ authority: "a:1", path: "/p", headers: new Map() });
const REQUEST = encodeFrame(FRAME.HEADERS, encodeFieldSection(FIELDS));
const SETTINGS = encodeFrame(FRAME.SETTINGS, encodeSettings(OUR_SETTINGS));
/** What every well-behaved client begins its control stream with. */
export const GOOD_CONTROL: Uint8Array = Buffer.concat([Buffer.of(0), SETTINGS]);
export const GOOD_REQUEST: Uint8Array = REQUEST;
export const GOOD_RESPONSE: Uint8Array = encodeFrame(
  FRAME.HEADERS,
  encodeFieldSection(createResponseFields(200)),
);

/** A frame that means nothing (RFC 9114 7.2.8), to stand in front of what does. */
function grease(draw: Draw): Buffer {
  if (draw.chance(0.5)) return Buffer.alloc(0);
  return Buffer.from(encodeFrame(0x1f * draw.below(1000) + 0x21, draw.bytes(draw.below(40))));
}

type Recipe = (draw: Draw) => Omit<HostileStream, "name">;

const uni = (bytes: Uint8Array, code?: number, fin = false) => ({
  isBidirectional: false,
  bytes,
  fin,
  ...(code === undefined ? {} : { code }),
});
const bidi = (bytes: Uint8Array, code?: number, fin = false) => ({
  ...uni(bytes, code, fin),
  isBidirectional: true,
});
const request = (draw: Draw, after: Uint8Array, code?: number, fin = false) =>
  bidi(Buffer.concat([grease(draw), REQUEST, after]), code, fin);

/** Fields with one thing wrong, or with many. */
function badFields(draw: Draw): Field[] {
  const fields = [...FIELDS];
  const at = draw.below(fields.length);
  switch (draw.below(5)) {
    case 0:
      fields.splice(at, 1);
      break;
    case 1:
      fields.splice(at, 0, draw.pick(fields));
      break;
    case 2:
      fields[at] = [fields[at]?.[0] ?? "", draw.bytes(draw.below(30)).toString("latin1")];
      break;
    case 3:
      fields.push([draw.bytes(draw.below(30)).toString("latin1"), "x"]);
      break;
    default:
      for (let i = 0; i < 400; i++) fields.push([`f${i}`, "y".repeat(draw.below(100))]);
  }
  return fields;
}

const RECIPES: Readonly<Record<string, Recipe>> = {
  "second control stream": () => uni(GOOD_CONTROL, H3_CODE.STREAM_CREATION_ERROR),
  "push stream": (draw) => uni(Buffer.concat([Buffer.of(1), draw.bytes(4)]), H3_CODE.STREAM_CREATION_ERROR),
  "insertion into the table": (draw) =>
    uni(
      Buffer.concat([Buffer.of(2), Buffer.of(0x40 | draw.below(192)), draw.bytes(20)]),
      H3_CODE.QPACK_ENCODER_STREAM_ERROR,
    ),
  "acknowledgement of nothing": (draw) =>
    uni(Buffer.concat([Buffer.of(3), Buffer.of(0x80 | draw.below(128))]), H3_CODE.QPACK_DECODER_STREAM_ERROR),
  "critical stream that ends": (draw) =>
    uni(Buffer.of(draw.pick([2, 3])), H3_CODE.CLOSED_CRITICAL_STREAM, true),
  "DATA first": (draw) =>
    bidi(Buffer.concat([grease(draw), encodeFrame(FRAME.DATA, draw.bytes(9))]), H3_CODE.FRAME_UNEXPECTED),
  "control frame in a request": (draw) =>
    bidi(
      Buffer.concat([
        grease(draw),
        encodeFrame(
          draw.pick([FRAME.SETTINGS, FRAME.GOAWAY, FRAME.MAX_PUSH_ID, FRAME.CANCEL_PUSH]),
          hex("00"),
        ),
      ]),
      H3_CODE.FRAME_UNEXPECTED,
    ),
  "frame of HTTP/2": (draw) =>
    bidi(
      Buffer.concat([grease(draw), encodeFrame(draw.pick([2, 6, 8, 9]), draw.bytes(4))]),
      H3_CODE.FRAME_UNEXPECTED,
    ),
  "second HEADERS": (draw) => request(draw, REQUEST, H3_CODE.FRAME_UNEXPECTED),
  "frame cut short": (draw) => request(draw, hex("00 09 00"), H3_CODE.FRAME_ERROR, true),
  "signal among frames": (draw) => request(draw, hex("4041 00"), H3_CODE.FRAME_ERROR),
  "session id of no request": (draw) =>
    uni(Buffer.concat([hex("4054"), varint(4 * draw.below(1e6) + 1 + draw.below(3))]), H3_CODE.ID_ERROR),
  "table that is not there": (draw) =>
    bidi(
      encodeFrame(
        FRAME.HEADERS,
        Buffer.concat([
          hex("0000"),
          Buffer.of(draw.pick([0x80, 0x10, 0x00, 0x40]) | draw.below(16)),
          draw.bytes(5),
        ]),
      ),
      H3_CODE.QPACK_DECOMPRESSION_FAILED,
    ),
  "insert count": (draw) =>
    bidi(
      encodeFrame(FRAME.HEADERS, Buffer.concat([Buffer.of(1 + draw.below(200), 0), draw.bytes(9)])),
      H3_CODE.QPACK_DECOMPRESSION_FAILED,
    ),
  "random field section": (draw) =>
    bidi(encodeFrame(FRAME.HEADERS, Buffer.concat([hex("0000"), draw.bytes(draw.below(200))]))),
  "bad fields": (draw) => bidi(encodeFrame(FRAME.HEADERS, encodeFieldSection(badFields(draw)))),
  "request with bits flipped": (draw) => {
    const bytes = Buffer.from(REQUEST);
    for (let i = 1 + draw.below(4); i > 0; i--) {
      const at = draw.below(bytes.byteLength);
      bytes[at] = (bytes[at] ?? 0) ^ (1 << draw.below(8));
    }
    return bidi(bytes, undefined, draw.chance(0.3));
  },
  "frame of any length": (draw) =>
    bidi(
      Buffer.concat([
        varint(draw.pick([0, 1, 3, 4, 5, 7, 13, 0x41, 0x21, draw.below(2 ** 30)])),
        draw.pick([varint(draw.below(2 ** 40)), hex("ffffffffffffffff"), varint(draw.below(60))]),
        draw.bytes(draw.below(60)),
      ]),
      undefined,
      draw.chance(0.3),
    ),
  "bad capsule": (draw) => {
    const type = draw.pick([...Object.values(CAPSULE), 0x190b4d3d, 0x190b4d3f, draw.below(2 ** 30)]);
    const capsule = Buffer.concat([
      varint(type),
      draw.pick([varint(draw.below(2000)), varint(draw.below(8)), hex("ffffffffffffffff")]),
      draw.bytes(draw.below(200)),
    ]);
    return request(draw, encodeFrame(FRAME.DATA, capsule), undefined, draw.chance(0.3));
  },
  "data after CLOSE": (draw) =>
    request(
      draw,
      Buffer.concat([
        encodeFrame(FRAME.DATA, encodeCloseCapsule(draw.below(2 ** 32), "bye")),
        encodeFrame(FRAME.DATA, draw.bytes(5)),
      ]),
      undefined,
      draw.chance(0.5),
    ),
  "much before the answer": (draw) => request(draw, encodeFrame(FRAME.DATA, Buffer.alloc(draw.below(9000)))),
  "empty request": (draw) => bidi(draw.chance(0.5) ? Buffer.alloc(0) : grease(draw), undefined, true),
  "stream of a session that is not": (draw) =>
    draw.pick([uni, bidi])(
      Buffer.concat([
        hex(draw.chance(0.5) ? "4054" : "4041"),
        varint(4 * draw.below(2 ** 20)),
        draw.bytes(30),
      ]),
      undefined,
      draw.chance(0.5),
    ),
  "stream of a session": (draw) => {
    const isUni = draw.chance(0.5);
    const bytes = Buffer.concat([hex(isUni ? "4054" : "4041"), Buffer.of(0), draw.bytes(draw.below(100))]);
    return isUni ? uni(bytes, undefined, draw.chance(0.5)) : bidi(bytes, undefined, draw.chance(0.5));
  },
  "unknown stream": (draw) =>
    uni(Buffer.concat([varint(0x55 + draw.below(2 ** 30)), draw.bytes(20)]), undefined, draw.chance(0.5)),
  "type cut short": (draw) =>
    uni(hex(draw.pick(["40", "80", "c0ff", "4054", "4054c0"])), undefined, draw.chance(0.5)),
  "garbage on a unidirectional stream": (draw) =>
    uni(draw.bytes(draw.below(300)), undefined, draw.chance(0.3)),
  "garbage on a bidirectional stream": (draw) =>
    bidi(draw.bytes(draw.below(300)), undefined, draw.chance(0.3)),
};

export const STREAM_NAMES = Object.keys(RECIPES);

/** One stream with something wrong in it. */
export function makeHostileStream(draw: Draw): HostileStream {
  const name = draw.pick(STREAM_NAMES);
  const recipe = RECIPES[name];
  if (recipe === undefined) throw new RangeError(name);
  return { name, ...recipe(draw) };
}

/** What the control stream says after its SETTINGS. */
export function makeHostileControl(draw: Draw): Uint8Array {
  const frames: Uint8Array[] = [GOOD_CONTROL];
  for (let i = draw.below(3); i > 0; i--) {
    frames.push(
      grease(draw),
      encodeFrame(
        draw.pick([FRAME.GOAWAY, FRAME.MAX_PUSH_ID, FRAME.CANCEL_PUSH, FRAME.SETTINGS, FRAME.DATA, 0x41]),
        draw.bytes(draw.below(9)),
      ),
    );
  }
  return Buffer.concat(frames);
}

/** Content of a QUIC datagram frame. */
export function makeHostileDatagram(draw: Draw): Uint8Array {
  return draw.pick([
    draw.bytes(draw.below(4)),
    Buffer.concat([Buffer.of(0), draw.bytes(50)]),
    Buffer.concat([hex("ffff"), draw.bytes(20)]),
  ]);
}
