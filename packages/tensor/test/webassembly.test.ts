import { instantiate, reserve, type WasmMemory } from "@sluice/tensor";
import t from "tap";

/** (module (memory (export "memory") 1)) */
const smallest = { base64: "AGFzbQEAAAAFAwEAAQcKAQZtZW1vcnkCAA==", byteLength: 25 };

t.test("a module becomes an instance whose memory grows by whole pages", async (t) => {
  const exports = instantiate<{ readonly memory: WasmMemory }>(smallest);
  const { memory } = exports!;
  t.equal(memory.buffer.byteLength, 65536);
  t.notOk(reserve(memory, 65536));
  t.ok(reserve(memory, 65537));
  t.equal(memory.buffer.byteLength, 131072);
});

t.test("where it cannot be compiled there is no instance, and no error", async (t) => {
  t.equal(instantiate({ base64: "AAAA", byteLength: 3 }), undefined);
  const saved: unknown = Reflect.get(globalThis, "WebAssembly");
  t.teardown(() => {
    Object.assign(globalThis, { WebAssembly: saved });
  });
  Reflect.deleteProperty(globalThis, "WebAssembly");
  t.equal(instantiate(smallest), undefined);
});
