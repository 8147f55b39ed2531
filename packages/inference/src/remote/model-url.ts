import { ModelError } from "../model-error.js";

/** Where a model of the Open Inference Protocol is served. */
export interface RemoteModelUrl {
  /** `http://host:port`. */
  readonly origin: string;
  /** What stands before `/v2`; empty for most servers. */
  readonly prefix: string;
  readonly model: string;
  /** Undefined: the server chooses. */
  readonly version: string | undefined;
}

/** Whether a model's reference is the address of one at a server. */
export function isRemoteUrl(reference: string): boolean {
  return /^https?:\/\//i.test(reference);
}

/**
 * Parses the address of a model, which is that of its metadata in the protocol:
 * `http://host:8000/v2/models/NAME` or `.../v2/models/NAME/versions/VERSION`.
 * @throws ModelError `unknown-name`
 */
export function parseRemoteUrl(text: string): RemoteModelUrl {
  const refuse = (): never => {
    throw new ModelError(
      "unknown-name",
      "an address of a model is http(s)://HOST:PORT/v2/models/NAME, with /versions/VERSION behind or not",
    );
  };
  let url: URL;
  try {
    url = new URL(text);
  } catch {
    return refuse();
  }
  const match = /^(.*)\/v2\/models\/([^/]+)(?:\/versions\/([^/]+))?\/?$/.exec(url.pathname);
  if (match === null || url.search !== "" || url.hash !== "" || url.username !== "") return refuse();
  const [, prefix, model, version] = match;
  return {
    origin: url.origin,
    prefix: prefix ?? "",
    model: decodeURIComponent(model!),
    version: version === undefined ? undefined : decodeURIComponent(version),
  };
}

/** The path of a model's metadata; its other paths begin with it. */
export function modelPath({ prefix, model, version }: RemoteModelUrl): string {
  const tail = version === undefined ? "" : `/versions/${encodeURIComponent(version)}`;
  return `${prefix}/v2/models/${encodeURIComponent(model)}${tail}`;
}
