import { EngineError, loadOnnxruntime, type ProviderChoice } from "@sluice/inference";
import { createTensor } from "@sluice/tensor";
import t from "tap";
import { adviceFor, obstacleOf } from "#src/onnxruntime/providers.js";
import { tinyModelBytes } from "./tiny-model.js";

const runtime = new URL("./fake-onnxruntime.js", import.meta.url).href;

async function loadFake(firstByte: number, provider: ProviderChoice, batches?: readonly number[]) {
  const log: string[] = [];
  const onLog = (line: string) => void log.push(line);
  const engine = await loadOnnxruntime(Uint8Array.of(firstByte), {
    ...{ runtime, provider, onLog },
    ...(batches ? { batches } : {}),
  });
  const [output] = await engine.run([createTensor("float32", [2], Float32Array.of(3, 4))]);
  await engine.close();
  const [openSessions, echo] = output!.data;
  t.equal(echo, 4);
  return { provider: engine.provider, openSessions, log };
}

t.test("auto keeps the quickest, says what each takes, and lets the others go", async (t) => {
  t.strictSame(await loadFake(0, "auto"), {
    ...{ provider: "cuda", openSessions: 1 },
    log: ["onnxruntime: provider cuda (cuda: 1.00 ms a sample; cpu: 5.00 ms a sample)"],
  });
  t.strictSame(await loadFake(1, "auto"), {
    ...{ provider: "cpu", openSessions: 1 },
    log: ["onnxruntime: provider cpu (cuda: 9.00 ms a sample; cpu: 5.00 ms a sample)"],
  });
});

t.test("auto goes by the batches that will be run", async (t) => {
  t.match(await loadFake(3, "auto"), {
    provider: "cpu",
    log: [/cuda: 6\.00 ms a sample; cpu: 5\.00 ms a sample/],
  });
  t.match(await loadFake(3, "auto", [1, 16]), {
    provider: "cuda",
    log: [
      "onnxruntime: provider cuda (cuda: 6.00 ms a sample, 0.38 ms a sample in batches of 16; " +
        "cpu: 5.00 ms a sample, 5.00 ms a sample in batches of 16)",
    ],
  });
  await t.rejects(loadFake(3, "auto", [0]), { kind: "bad-input", message: /^batches: must be integers/ });
});

t.test("one quick run does not win", async (t) => {
  t.match(await loadFake(4, "auto"), { provider: "cpu", log: [/cuda: 9\.00 ms a sample/] });
});

t.test("auto passes over what does not run the network, and says why", async (t) => {
  t.strictSame(await loadFake(2, "auto"), {
    ...{ provider: "cpu", openSessions: 1 },
    log: ["onnxruntime: provider cpu (cuda: out of memory)"],
  });
});

t.test("by its name a provider is taken however quick it is", async (t) => {
  t.match(await loadFake(1, "cuda"), { provider: "cuda", log: ["onnxruntime: provider cuda"] });
  t.match(await loadFake(0, "cpu"), { provider: "cpu" });
});

t.test(
  "what cannot be had is an error that names the option; the model is blamed for what is its fault",
  async (t) => {
    const cases: [ProviderChoice, Uint8Array, object][] = [
      // Of none of these there is a build for every system.
      [
        process.platform === "win32" ? "coreml" : "dml",
        tinyModelBytes(),
        { kind: "not-available", message: /^provider: \w+ cannot be had: this onnxruntime has only cpu/ },
      ],
      [
        "cpu",
        Uint8Array.of(1, 2, 3),
        { kind: "load-failed", message: /^onnxruntime does not take the model/ },
      ],
      [
        "auto",
        Uint8Array.of(1, 2, 3),
        { kind: "load-failed", message: /^onnxruntime does not take the model/ },
      ],
      [
        "gpu" as ProviderChoice,
        tinyModelBytes(),
        { kind: "bad-input", message: /^provider: must be one of auto, cpu/ },
      ],
    ];
    for (const [provider, model, wanted] of cases) {
      const error = await loadOnnxruntime(model, { provider }).then(
        () => undefined,
        (cause: unknown) => cause,
      );
      t.ok(error instanceof EngineError);
      t.match(error, wanted, provider);
    }
  },
);

t.test("the processor is the default, and is not worth a line", async (t) => {
  const log: string[] = [];
  const engine = await loadOnnxruntime(tinyModelBytes(), { onLog: (line) => void log.push(line) });
  t.equal(engine.provider, "cpu");
  t.strictSame(log, []);
  await engine.close();
});

t.test("WebGPU is tried by itself only where Linux shows a GPU", async (t) => {
  const none = () => ["null", "kvm", "dri", "nvidiactl", "renderD"];
  t.match(obstacleOf("webgpu", "linux", none), /no device of a GPU/);
  for (const device of ["renderD128", "nvidia0", "dxg"]) {
    t.equal(
      obstacleOf("webgpu", "linux", () => [...none(), device]),
      undefined,
      device,
    );
  }
  t.equal(obstacleOf("webgpu", "darwin", none), undefined);
  t.equal(obstacleOf("cuda", "linux", none), undefined);
  t.match(adviceFor("webgpu", "linux"), /libvulkan/);
  t.match(adviceFor("cuda", "linux"), /install\.js/);
  t.equal(adviceFor("coreml", "darwin"), "");
});
