import type { DemoPage, ShownModel, ViewTap } from "@sluice/demo";
import type { OpenServedStream, ServerLog } from "@sluice/server";
import { CliError } from "./cli-error.js";
import { ExitCode } from "./exit-codes.js";
import { parseHostPort } from "./host-port.js";
import { listenOrFree } from "./listen-or-free.js";

/** The page beside a server: it sees what arrives there. */
export interface ServedDemo {
  /** Serves as `open` does, and lets pages look at tensors. */
  tap(open: OpenServedStream): OpenServedStream;
  /** @throws the system's error where the address cannot be bound */
  listen(server: {
    readonly url: string;
    certificates(): readonly { readonly hash: string }[];
  }): Promise<DemoPage>;
}

const defaultAddress = "127.0.0.1:8080";

/**
 * Loads the page; the package `@sluice/demo` is optional.
 * @param wanted `HOST:PORT`, or true for the default port or, where it is taken, a free one
 * @throws CliError where the package is not installed
 */
export async function openDemo(
  wanted: string | true,
  models: readonly ShownModel[],
  log: ServerLog,
): Promise<ServedDemo> {
  const address = parseHostPort(wanted === true ? defaultAddress : wanted, "--demo");
  const { createViewTap, serveDemoPage } = await import("@sluice/demo").catch((cause: unknown) => {
    throw new CliError(
      ExitCode.notFound,
      "--demo: needs the package @sluice/demo; npm install @sluice/demo",
      { cause },
    );
  });
  const tap: ViewTap = createViewTap();
  return {
    tap: tap.tap,
    async listen({ url, certificates }) {
      const { hostname, port } = new URL(url);
      const anywhere = hostname === "0.0.0.0" || hostname === "[::]";
      const server = { host: anywhere ? "127.0.0.1" : hostname, port: Number(port), certificates };
      const listen = (port: number) => serveDemoPage({ models, server, tap, log, host: address.host, port });
      if (wanted !== true) return listen(address.port);
      return listenOrFree(address.port, listen, (page) =>
        log.warn({ wanted: defaultAddress, url: page.url }, "the default port of the page is taken"),
      );
    },
  };
}
