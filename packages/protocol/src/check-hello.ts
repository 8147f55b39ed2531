import type { sluice } from "@sluice/proto";
import { ErrorCode, ProtocolError } from "./error-code.js";
import { maxHelloEntries, maxTokenBytes, protocolVersion } from "./limits.js";
import type { ServerSessionOptions } from "./server-api.js";

/**
 * Whether a server goes on with a client (spec 2.2, 4.2).
 * @throws ProtocolError limitExceeded, unsupportedVersion or unauthorized
 */
export function checkHello(hello: sluice.v1.Hello, authorize: ServerSessionOptions["authorize"]): void {
  const { versions, token, capabilities } = hello;
  // spec 4.2: checked before anything is done with them.
  if (
    versions.length > maxHelloEntries ||
    capabilities.length > maxHelloEntries ||
    token.length > maxTokenBytes
  ) {
    throw new ProtocolError(
      ErrorCode.limitExceeded,
      "hello: too many versions or capabilities, or a long token",
    );
  }
  if (!versions.includes(protocolVersion)) {
    throw new ProtocolError(
      ErrorCode.unsupportedVersion,
      `hello: versions [${versions.slice(0, 8).join(", ")}]; this server speaks ${protocolVersion}`,
    );
  }
  if (authorize && !authorize(token)) {
    throw new ProtocolError(ErrorCode.unauthorized, "hello: the token is not accepted");
  }
}
