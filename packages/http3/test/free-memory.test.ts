import t from "tap";
import { freeMemory } from "#src/free-memory.js";

t.test("memory that is used up is given back at once", async (t) => {
  const used = [new Uint8Array(4_096), new Uint8Array(100_000)];
  const before = process.memoryUsage().arrayBuffers;
  freeMemory(used);
  t.strictSame(
    used.map(({ byteLength }) => byteLength),
    [0, 0],
  );
  t.ok(process.memoryUsage().arrayBuffers <= before - 104_096, "and not when the collector comes");
});

t.test("what holds more than the bytes that were used stays, and what is small", async (t) => {
  const whole = new Uint8Array(10_000).fill(7);
  const small = new Uint8Array(4_095).fill(7);
  const shared = new Uint8Array(new SharedArrayBuffer(8_192)).fill(7);
  freeMemory([whole.subarray(1), whole.subarray(0, 9_999), small, shared]);
  freeMemory([]);
  for (const bytes of [whole, small, shared]) t.ok(bytes.length > 0 && bytes.every((byte) => byte === 7));
});
