// Writes messages of proto/sluice/v1 for the vectors, without the packages that the vectors are to judge: Protocol
// Buffers with fields in ascending order and defaults left out. Field numbers are written here a second time.

const tensor = { name: [1, "string"], dtype: [2, "uint"], shape: [3, "uints"], layout: [4, "uint"] };
const spec = { ...tensor, parts: [5, [tensor]] };
const limits = {
  maxStreams: [1, "uint"],
  maxTensorElements: [2, "uint"],
  maxFramesInFlight: [3, "uint"],
  millihertz: [4, "uint"],
  maxTensorBytes: [5, "uint"],
  maxBytesPerSecond: [6, "uint"],
  maxResultBytes: [7, "uint"],
};
const receipt = {
  stream: [1, "uint"],
  frame: [2, "uint"],
  unitsReceived: [3, "uint"],
  units: [4, "uint"],
};
const stages = {
  reassembly: [1, "uint"],
  decode: [2, "uint"],
  conceal: [3, "uint"],
  queue: [4, "uint"],
  inference: [5, "uint"],
};
const refusal = { stream: [1, "uint"], code: [2, "uint"], reason: [3, "string"] };
const ping = { id: [1, "uint"] };

/** Number and fields of each kind of control message. */
const kinds = {
  hello: [
    1,
    { versions: [1, "uints"], capabilities: [2, "strings"], token: [3, "bytes"], agent: [4, "string"] },
  ],
  welcome: [
    2,
    { version: [1, "uint"], capabilities: [2, "strings"], limits: [3, limits], agent: [4, "string"] },
  ],
  open: [
    3,
    {
      stream: [1, "uint"],
      spec: [2, spec],
      codec: [3, "string"],
      mode: [4, "uint"],
      deadlineMs: [5, "uint"],
      model: [6, "string"],
      split: [7, "string"],
      concealment: [8, "string"],
      statisticsHash: [9, "bytes"],
      fec: [10, "string"],
      interleave: [11, "string"],
      urgency: [12, "optional"],
      firstFrame: [13, "uint"],
      minReceivedPercent: [14, "uint"],
      resultFormat: [15, "uint"],
      resultContent: [16, "uint"],
      maxResultBytes: [17, "uint"],
    },
  ],
  accept: [
    4,
    { stream: [1, "uint"], concealment: [2, "string"], resultFormat: [3, "uint"], model: [4, "string"] },
  ],
  reject: [5, refusal],
  close: [6, { stream: [1, "uint"] }],
  limits: [7, limits],
  feedback: [
    8,
    {
      datagramsReceived: [1, "uint"],
      bytesReceived: [2, "uint"],
      nextSequence: [3, "uint"],
      lost: [4, "uint"],
      lossRuns: [5, "uint"],
      arrivalSequences: [6, "sints"],
      arrivalTimes: [7, "sints"],
      queuedFrames: [8, "uint"],
      frames: [9, [receipt]],
      reportTime: [10, "uint"],
      received: [11, "bytes"],
      recovered: [12, "bytes"],
    },
  ],
  result: [
    9,
    {
      stream: [1, "uint"],
      frame: [2, "uint"],
      outcome: [3, "uint"],
      stages: [4, stages],
      concealedElements: [5, "uint"],
      elements: [6, "uint"],
      slicesReceived: [7, "uint"],
      slicesRecovered: [8, "uint"],
      code: [9, "uint"],
      payload: [10, "bytes"],
      payloadBytes: [11, "optional"],
    },
  ],
  resultAck: [10, { stream: [1, "uint"], frames: [2, "uints"] }],
  drain: [11, { code: [1, "uint"], reason: [2, "string"], timeoutMs: [3, "uint"] }],
  error: [12, { code: [1, "uint"], reason: [2, "string"] }],
  ping: [13, ping],
  pong: [14, ping],
};

const header = {
  stream: [1, "uint"],
  frame: [2, "uint"],
  index: [3, "uint"],
  count: [4, "uint"],
  ageMs: [5, "uint"],
  payloadBytes: [6, "optional"],
  sequence: [7, "optional"],
  repair: [8, "optional"],
};

/** LEB128 of a whole number. @returns {number[]} */
export function varint(value) {
  const bytes = [];
  let rest = BigInt(value);
  do {
    const low = Number(rest & 127n);
    rest >>= 7n;
    bytes.push(rest > 0n ? low | 128 : low);
  } while (rest > 0n);
  return bytes;
}

const zigzag = (value) => (value < 0 ? -2 * value - 1 : 2 * value);
const bytesOf = (hex) => [...Buffer.from(hex, "hex")];
const lengthDelimited = (number, bytes) => [...varint(number * 8 + 2), ...varint(bytes.length), ...bytes];

function writeField(number, type, value) {
  if (value === undefined || value === null) return [];
  if (Array.isArray(type)) return value.flatMap((entry) => writeField(number, type[0], entry));
  if (typeof type === "object") return lengthDelimited(number, writeFields(type, value));
  switch (type) {
    case "uint":
      return value === 0 ? [] : [...varint(number * 8), ...varint(value)];
    case "optional":
      return [...varint(number * 8), ...varint(value)];
    case "uints":
      return value.length === 0 ? [] : lengthDelimited(number, value.flatMap(varint));
    case "sints":
      return value.length === 0
        ? []
        : lengthDelimited(
            number,
            value.flatMap((entry) => varint(zigzag(entry))),
          );
    case "string":
      return value === "" ? [] : lengthDelimited(number, [...Buffer.from(value, "utf8")]);
    case "strings":
      return value.flatMap((text) => lengthDelimited(number, [...Buffer.from(text, "utf8")]));
    case "bytes":
      return value === "" ? [] : lengthDelimited(number, bytesOf(value));
    default:
      throw new Error(`no type ${type}`);
  }
}

function writeFields(fields, values) {
  for (const name of Object.keys(values)) if (!(name in fields)) throw new Error(`no field ${name}`);
  return Object.entries(fields).flatMap(([name, [number, type]]) => writeField(number, type, values[name]));
}

/** Bytes of a control message `{ kind, body }`. */
export function controlBytes({ kind, body }) {
  const [number, fields] = kinds[kind];
  return lengthDelimited(number, writeFields(fields, body));
}

export const toHex = (bytes) => Buffer.from(bytes).toString("hex");

/** What stands on the control stream, in hex. */
export const controlStream = (...messages) =>
  toHex(
    messages.flatMap((message) => {
      const bytes = controlBytes(message);
      return [...varint(bytes.length), ...bytes];
    }),
  );

/** Bytes of a slice header without its length. */
export const headerBytes = (fields) => writeFields(header, fields);

/** A slice as an item of a datagram or of a tensor's QUIC stream, in hex. */
export function sliceItem(fields, payload) {
  const bytes = headerBytes(fields);
  return toHex([...varint(bytes.length), ...bytes]) + payload;
}

/** A result in front of its payload, as it stands on a QUIC stream of its own, in hex. */
export function resultStream(fields, payload) {
  const bytes = writeFields(kinds.result[1], fields);
  return toHex([...varint(bytes.length), ...bytes]) + payload;
}

/** A message as an item of a datagram, in hex. */
export function controlItem(message) {
  const bytes = controlBytes(message);
  return toHex([0, ...varint(bytes.length), ...bytes]);
}
