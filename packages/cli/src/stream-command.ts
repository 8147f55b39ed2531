import type { Command } from "commander";
import type { CliContext } from "./cli-context.js";
import { CliError } from "./cli-error.js";
import { codecHelp } from "./codec-help.js";
import { ExitCode } from "./exit-codes.js";
import { parseCertificateHash } from "./parse-certificate-hash.js";
import { addStreamOptions, readStreamOptions, type StreamOptionValues } from "./stream-options.js";
import { showStream } from "./stream-show.js";
import {
  addTracingOptions,
  describeTracing,
  openTracing,
  type TracingOptionValues,
  tracingCloseMs,
} from "./tracing-options.js";

interface StreamTrust {
  readonly certHash?: string;
  readonly insecure?: true;
}

const defaults = { durationSeconds: 10 };

/** Registers `sluice stream`. */
export function registerStream(program: Command, context: CliContext): void {
  const command = program
    .command("stream")
    .description("Stream images through a server and report what became of every frame.")
    .argument("<url>", "the server's, such as https://127.0.0.1:4433")
    .option(
      "--cert-hash <hex>",
      "trust the certificate with this SHA-256 (`sluice serve` prints it)",
      parseCertificateHash,
    )
    .option(
      "--insecure",
      "take any certificate: for experiments, since anybody on the path can pose as the server",
    )
    .option(
      "--results <file>",
      "write what became of every frame, each a line of JSON: its image, its status, what the model said",
    )
    .option(
      "--save-outputs <dir>",
      "write the network's outputs for every frame that came back, as files of NumPy: FRAME-OUTPUT-NAME.npy",
    );
  addTracingOptions(addStreamOptions(command, defaults))
    .addHelpText(
      "after",
      `${codecHelp}
Examples:
  $ sluice stream https://127.0.0.1:4433 --cert-hash 5e1f...
  $ sluice stream https://127.0.0.1:4433 --cert-hash 5e1f... --model mobilenet.onnx --split add_3 --source photos/ --results seen.jsonl
  $ ffmpeg -i /dev/video0 -s 320x240 -f rawvideo -pix_fmt rgb24 - | sluice stream https://127.0.0.1:4433 --cert-hash 5e1f... --source stdin:240x320x3
  $ sluice stream https://127.0.0.1:4433 --cert-hash 5e1f... --model segmentation.onnx --strategy server --save-outputs maps
  $ sluice stream https://127.0.0.1:4433 --cert-hash 5e1f... --model sink --source synthetic:28x28x128 --json
  $ sluice stream https://127.0.0.1:4433 --cert-hash 5e1f... --codec 'quantize:levels=256,clip=4 | tile | jpeg:quality=40'`,
    )
    .action(async (url: string, values: StreamOptionValues & StreamTrust & TracingOptionValues) => {
      const { certHash, insecure = false } = values;
      if (insecure && certHash !== undefined) {
        throw new CliError(
          ExitCode.usage,
          "--insecure and --cert-hash do not go together: the hash is the safe one",
        );
      }
      if (insecure) {
        context.stderr.write(
          `WARNING: --insecure: the certificate of ${url} is NOT checked. Anybody on the path can read and change everything.\n`,
        );
      }
      const target = { url, certificateHash: certHash, insecure };
      const tracing = await openTracing(values, "client", program.version() ?? "", (reason) =>
        context.stderr.write(`${reason}\n`),
      );
      const hooks = tracing ? { observeSession: tracing.observeClient } : {};
      try {
        await showStream(readStreamOptions(values, target, defaults), values.json === true, context, hooks);
      } finally {
        await tracing?.close(tracingCloseMs);
        for (const line of tracing ? describeTracing(tracing, values) : []) context.stderr.write(`${line}\n`);
      }
    });
}
