import { createSocket } from "node:dgram";
import { ConnectError, type Session } from "@sluice/transport";
import type { EngineConnectOptions } from "../engine.js";
import type { Trust } from "../quiche/messages.js";
import { FIXED, fixedOptionErrors } from "./fixed-options.js";
import { classifyConnectError, textOf } from "./quinn-error.js";
import type { NativeClient, NativeSession, QuinnModule } from "./quinn-module.js";
import { QuinnSession } from "./quinn-session.js";

/** Opens a session; what quinn cannot do is refused by name. Rejects with `ConnectError`. */
export async function connectQuinn(module: QuinnModule, options: EngineConnectOptions): Promise<Session> {
  const { authority, path, timeoutMs } = options;
  const wrong = [...fixedOptionErrors(options)];
  if (options.headers.length > 0) wrong.push("headers (it sends none)");
  if (options.trust.type === "roots" && options.trust.isDefault !== true) {
    wrong.push("ca (it knows the system's roots only)");
  }
  if (wrong.length > 0) throw new ConnectError("engine", `the engine quinn cannot do ${wrong.join(", ")}`);
  await checkIpv6();
  // The name and not the address: it goes into the request and, as the server's name, into TLS.
  const attempt = createClient(module, options.trust).connect(`https://${authority}${path}`, null);
  try {
    return new QuinnSession(await within(attempt, options));
  } catch (error) {
    if (error instanceof ConnectError) throw error;
    throw explain(textOf(error), options, timeoutMs, error);
  }
}

function createClient(module: QuinnModule, trust: Trust): NativeClient {
  switch (trust.type) {
    case "hash":
      return module.NapiClient.withCertificateHashes(
        trust.certificateHashes.map((hash) => Buffer.from(hash, "hex")),
      );
    case "none":
      return module.NapiClient.disableVerify();
    case "roots":
      return module.NapiClient.withSystemRoots();
    default:
      return trust satisfies never;
  }
}

/** Its clients send from `[::]` whatever they connect to; where there is no IPv6 that would end the process. */
export function checkIpv6(): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = createSocket("udp6");
    socket.once("error", (cause) => {
      socket.close();
      const message = `clients of the engine quinn need IPv6 sockets, which this system has not: ${cause.message}`;
      reject(new ConnectError("engine", message, { cause }));
    });
    socket.bind(0, "::", () => socket.close(() => resolve()));
  });
}

/** The native attempt cannot be given up: one that opens too late is closed. */
function within(
  attempt: Promise<NativeSession>,
  { authority, timeoutMs }: EngineConnectOptions,
): Promise<NativeSession> {
  return new Promise((resolve, reject) => {
    let isLate = false;
    const timer = setTimeout(() => {
      isLate = true;
      reject(new ConnectError("timeout", `no answer from ${authority} within ${timeoutMs} ms`));
    }, timeoutMs);
    attempt.then(
      (session) => {
        clearTimeout(timer);
        if (isLate) session.close(0, "given up");
        else resolve(session);
      },
      (error: unknown) => {
        clearTimeout(timer);
        reject(error);
      },
    );
  });
}

function explain(
  text: string,
  { authority, trust }: EngineConnectOptions,
  timeoutMs: number,
  cause: unknown,
): ConnectError {
  const { kind, status } = classifyConnectError(text);
  if (kind === "rejected") {
    return new ConnectError(kind, `${authority} refused the session with HTTP status ${status}`, { cause });
  }
  if (kind === "timeout") {
    return new ConnectError(
      kind,
      `no answer from ${authority} within ${Math.min(timeoutMs, FIXED.idleTimeoutMs)} ms`,
      {
        cause,
      },
    );
  }
  if (kind === "certificate") {
    const what =
      trust.type === "hash"
        ? `the certificate's SHA-256 is not ${trust.certificateHashes.join(" or ")} (quinn does not tell what it is)`
        : `the certificate is not trusted by the system's roots, or not for this name: ${text}`;
    return new ConnectError(kind, `${authority}: ${what}`, { cause });
  }
  return new ConnectError(kind, `${authority} did not open a session: ${text}`, { cause });
}
