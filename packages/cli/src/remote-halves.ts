import { type Model, openRemoteNetwork, type RemoteOptions, withRemoteHalf } from "@sluice/inference";
import { CliError } from "./cli-error.js";
import { ExitCode } from "./exit-codes.js";

/** Where the rest of a model behind a cut runs. */
export interface RemoteHalf {
  /** Empty: the whole model. */
  readonly split: string;
  readonly address: string;
}

/** `[TENSOR=]ADDRESS`; without a tensor the whole model. @throws CliError naming the option */
export function parseRemoteHalf(text: string): RemoteHalf {
  const match = /^(?:(.*)=)?(https?:\/\/.+)$/s.exec(text);
  if (!match) {
    const form = "[TENSOR=]http(s)://HOST:PORT/v2/models/NAME";
    throw new CliError(ExitCode.usage, `--remote: expected ${form}, got "${text}"`);
  }
  return { split: match[1] ?? "", address: match[2]! };
}

/** How servers are asked: with the token of the environment, where there is one. */
export function remoteOptions(environment: NodeJS.ProcessEnv): RemoteOptions {
  const token = environment.SLUICE_REMOTE_TOKEN;
  return token === undefined ? {} : { headers: { authorization: `Bearer ${token}` } };
}

/** The model with some of its second halves at servers. @throws ModelError, EngineError */
export async function withRemoteHalves(
  model: Model,
  halves: readonly RemoteHalf[],
  options: RemoteOptions,
): Promise<Model> {
  let { network } = model;
  for (const { split, address } of halves) {
    network = await withRemoteHalf(network, split, await openRemoteNetwork(address, options));
  }
  return { ...model, network };
}
