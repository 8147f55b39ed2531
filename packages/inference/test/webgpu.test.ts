import { execFile } from "node:child_process";
import { existsSync, mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import t from "tap";

const execute = promisify(execFile);

// A Vulkan that computes on the processor comes with Chromium, as does what loads it.
const folders = [dirname(process.env.CHROMIUM ?? "/usr/bin/chromium"), "/usr/lib/chromium"];
const folder = folders.find((path) => existsSync(join(path, "vk_swiftshader_icd.json")));
const skip =
  process.platform === "linux" && process.arch === "x64"
    ? folder === undefined && "there is no Vulkan: no vk_swiftshader_icd.json beside a Chromium"
    : "onnxruntime has no WebGPU here that runs on Vulkan";

interface Report {
  readonly provider: string;
  readonly log: readonly string[];
  readonly cpu: number[][];
  readonly halves: readonly { readonly cut: string; readonly values: number[][] }[];
  readonly together: readonly number[][][];
  readonly figures: readonly {
    readonly provider: string;
    readonly difference?: number;
    readonly obstacle?: string;
    readonly batches: readonly { readonly frames: number }[];
  }[];
}

/** As a share of the largest value. */
function difference(expected: number[][], got: number[][]): number {
  const largest = Math.max(...expected.flat().map(Math.abs));
  return (
    Math.max(...expected.flatMap((row, n) => row.map((value, i) => Math.abs(value - got[n]![i]!)))) / largest
  );
}

t.test(
  "a network on WebGPU, whole, halved and from several threads",
  { skip, timeout: 120_000 },
  async (t) => {
    const driver = join(folder as string, "vk_swiftshader_icd.json");
    const { stdout } = await execute(
      process.execPath,
      [fileURLToPath(new URL("./webgpu-process.js", import.meta.url))],
      {
        env: {
          ...process.env,
          ...{ VK_DRIVER_FILES: driver, VK_ICD_FILENAMES: driver, LD_LIBRARY_PATH: folder },
          XDG_RUNTIME_DIR: mkdtempSync(join(tmpdir(), "sluice-webgpu-")),
        },
        maxBuffer: 1 << 24,
      },
    );
    const report = JSON.parse(stdout) as Report;
    t.equal(report.provider, "webgpu");
    t.strictSame(report.log, ["onnxruntime: provider webgpu"]);
    t.equal(report.cpu.length, 4);
    t.notSame(report.cpu[0], report.cpu[1]);
    t.equal(report.together.length, 12);
    for (const [i, values] of report.together.entries()) {
      t.ok(difference(report.cpu, values) < 1e-4, `run ${i} is what the processor makes of it`);
      t.strictSame(values, report.together[0], `run ${i} is the same as the first`);
    }
    t.equal(report.halves.length, 3);
    for (const { cut, values } of report.halves) {
      t.ok(difference(report.together[0]!, values) < 1e-4, `halves at ${cut}`);
    }
    t.match(report.figures, [
      { provider: "cpu", difference: 0, batches: [{ frames: 1 }, { frames: 2 }] },
      { provider: "webgpu", batches: [{ frames: 1 }, { frames: 2 }] },
    ]);
    const webgpu = report.figures.find(({ provider }) => provider === "webgpu")!;
    t.ok(webgpu.difference! < 1e-4, `${webgpu.difference}`);
    const dml = report.figures.find(({ provider }) => provider === "dml")!;
    t.match(dml, { obstacle: /^this onnxruntime has only cpu/, batches: [] });
  },
);
