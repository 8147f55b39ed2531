import fc from "fast-check";
import t from "tap";
import { createCapsuleReader } from "#src/h3/capsule.js";
import { H3Error } from "#src/h3/error.js";
import { createControlReader, createRequestReader } from "#src/h3/frame.js";
import { decodeHuffman } from "#src/h3/huffman.js";
import { decodeFieldSection, encodeFieldSection } from "#src/h3/qpack.js";
import { decodeSettings } from "#src/h3/settings.js";
import { decodeVarint, encodeVarint, MAX_VARINT } from "#src/h3/varint.js";
import { decodePacketHeader } from "#src/quiche/packet-header.js";
import { parseConnectFields } from "#src/webtransport/request.js";
import { createRecordedConnection } from "./recorded-connection.js";

const seed = Number(process.env.SLUICE_SEED ?? 20_261_123);
const parameters = { seed, numRuns: 2000 };
t.comment(`seed ${seed} (SLUICE_SEED)`);

const anyBytes = fc.uint8Array({ maxLength: 200 });

/** Passes where `run` succeeds or finds a violation of the protocol; everything else is a bug. */
function survives(run: () => void): boolean {
  try {
    run();
  } catch (error) {
    if (!(error instanceof H3Error)) throw error;
  }
  return true;
}

t.test("varints come back", async () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: MAX_VARINT }), (value) => {
      const bytes = new Uint8Array(8);
      encodeVarint(bytes, 0, value);
      return decodeVarint(bytes, 0) === value;
    }),
    parameters,
  );
});

t.test("fields come back", async (t) => {
  const latin1 = fc.string({ unit: fc.integer({ min: 32, max: 255 }).map((c) => String.fromCharCode(c)) });
  fc.assert(
    fc.property(fc.array(fc.tuple(latin1, latin1), { maxLength: 10 }), (fields) => {
      t.strictSame(decodeFieldSection(encodeFieldSection(fields)), fields);
    }),
    { ...parameters, numRuns: 200 },
  );
});

const decoders: [string, (bytes: Uint8Array) => unknown][] = [
  ["Huffman strings", decodeHuffman],
  ["field sections", (bytes) => parseConnectFields(decodeFieldSection(bytes))],
  ["settings", decodeSettings],
  ["packet headers", decodePacketHeader],
];
for (const [name, decode] of decoders) {
  t.test(`any bytes as ${name} decode or are refused`, async () => {
    fc.assert(
      fc.property(anyBytes, (bytes) => survives(() => decode(bytes))),
      parameters,
    );
  });
}

function trace(kind: "control" | "request", pieces: readonly Uint8Array[]): string {
  const log: string[] = [];
  let data = "";
  const handler = {
    onGoaway: (id: number) => log.push(`goaway ${id}`),
    onCancelPush: (id: number) => log.push(`cancel push ${id}`),
    onMaxPushId: (id: number) => log.push(`max push id ${id}`),
    onSettings: (payload: Uint8Array) => log.push(`settings ${Buffer.from(payload).toString("hex")}`),
    onHeaders: (section: Uint8Array) => log.push(`headers ${Buffer.from(section).toString("hex")}`),
    onData: (bytes: Uint8Array) => {
      data += Buffer.from(bytes).toString("hex");
    },
  };
  const reader =
    kind === "control" ? createControlReader("server", handler) : createRequestReader("server", handler);
  survives(() => {
    for (const piece of pieces) reader.push(piece);
  });
  return `${log.join(",")} ${data}`;
}

t.test("frames mean the same in any pieces", async (t) => {
  fc.assert(
    fc.property(
      fc.constantFrom("control" as const, "request" as const),
      anyBytes,
      fc.nat(),
      (kind, tail, cut) => {
        const bytes = Buffer.concat([
          kind === "control" ? Buffer.from([4, 0]) : Buffer.from([1, 2, 0, 0]),
          tail,
        ]);
        const at = cut % (bytes.byteLength + 1);
        t.equal(trace(kind, [bytes.subarray(0, at), bytes.subarray(at)]), trace(kind, [bytes]));
      },
    ),
    { ...parameters, numRuns: 500 },
  );
});

t.test("any bytes as capsules are read or refused", async () => {
  fc.assert(
    fc.property(anyBytes, (tail) =>
      survives(() => {
        const reader = createCapsuleReader({ onDatagram() {}, onClose() {}, onDrain() {} });
        reader.push(Buffer.concat([Buffer.from([0x68, 0x43]), tail]));
      }),
    ),
    parameters,
  );
});

t.test("any bytes on any streams leave a connection working or close it with a code", async () => {
  const arrival = fc.record({
    id: fc.integer({ min: 0, max: 15 }),
    bytes: fc.oneof(
      anyBytes,
      anyBytes.map((tail) => Uint8Array.from([0x40, 0x54, 0, ...tail])),
      anyBytes.map((tail) => Uint8Array.from([0x40, 0x41, 0, ...tail])),
      anyBytes.map((tail) => Uint8Array.from([0, 4, 0, ...tail])),
      anyBytes.map((tail) => Uint8Array.from([1, tail.byteLength & 0x3f, 0, 0, ...tail])),
    ),
    fin: fc.boolean(),
    datagram: fc.option(anyBytes, { nil: undefined }),
  });
  fc.assert(
    fc.property(
      fc.constantFrom("client" as const, "server" as const),
      fc.array(arrival, { maxLength: 12 }),
      (role, arrivals) => {
        const { quic, connection, sessions } = createRecordedConnection(role);
        return survives(() => {
          for (const { id, bytes, fin, datagram } of arrivals) {
            quic.arrive(id, bytes, fin);
            if (datagram !== undefined) quic.datagrams.push(datagram);
            connection.handleReadable(0);
            for (const session of sessions) session.accept();
            connection.flush(0);
          }
        });
      },
    ),
    parameters,
  );
});
