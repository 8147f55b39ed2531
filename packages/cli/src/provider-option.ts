import { type ProviderChoice, providerChoices } from "@sluice/inference";
import { Option } from "commander";

/** `--provider`, for commands that run ONNX models. @param what runs the network: `the network`, `the client's half` */
export function providerOption(what = "the network"): Option {
  return new Option(
    "--provider <name>",
    `what onnxruntime computes ${what} with, or auto for the quickest that can be had (default: cpu)`,
  ).choices([...providerChoices]);
}

/** What the options say about how a network is run. */
export interface EngineOptionValues {
  readonly threads?: number | undefined;
  readonly provider?: ProviderChoice | undefined;
}

/** Without what is not said. */
export function engineOptions({ threads, provider }: EngineOptionValues) {
  return { ...(threads === undefined ? {} : { threads }), ...(provider === undefined ? {} : { provider }) };
}
