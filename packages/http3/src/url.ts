import { ConnectError } from "@sluice/transport";

/** The parts of a session's URL. */
export interface SessionUrl {
  /** Host name or literal address, without brackets. */
  readonly host: string;
  readonly port: number;
  /** Host and port as they go into the request. */
  readonly authority: string;
  /** Path and query. */
  readonly path: string;
}

/** Parses `https://host[:port]/path?query`; throws `ConnectError` of kind `bad-url` that says what is wrong. */
export function parseSessionUrl(text: string): SessionUrl {
  let url: URL;
  try {
    url = new URL(text);
  } catch (cause) {
    throw new ConnectError("bad-url", `not a URL: ${JSON.stringify(text)}`, { cause });
  }
  if (url.protocol !== "https:") {
    throw new ConnectError("bad-url", `the URL must begin with https://, got ${JSON.stringify(text)}`);
  }
  if (url.username !== "" || url.password !== "" || url.hash !== "") {
    throw new ConnectError(
      "bad-url",
      `the URL must have no user, password or fragment: ${JSON.stringify(text)}`,
    );
  }
  const port = url.port === "" ? 443 : Number(url.port);
  if (port === 0) throw new ConnectError("bad-url", `the URL's port must not be 0: ${JSON.stringify(text)}`);
  const host = url.hostname.replace(/^\[(.*)\]$/, "$1");
  return { host, port, authority: url.host, path: url.pathname + url.search };
}
