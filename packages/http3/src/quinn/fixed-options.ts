import type { ListenWishes } from "../engine.js";

/** What quinn's defaults are where its binding has no option, and what `maxPacketBytes` can be at the least. */
export const FIXED = {
  /** `max_idle_timeout` of quinn's TransportConfig. */
  idleTimeoutMs: 30_000,
  /** Its packets grow to 1,452 bytes as the path takes them; up to our own default that is nobody's wish. */
  minMaxPacketBytes: 1350,
} as const;

interface TransportOptions {
  readonly idleTimeoutMs?: number | undefined;
  readonly maxPacketBytes?: number | undefined;
}

/** The options that the binding has no way to honour, each with the reason. */
export function fixedOptionErrors({ idleTimeoutMs, maxPacketBytes }: TransportOptions): string[] {
  const errors: string[] = [];
  if (idleTimeoutMs !== undefined && idleTimeoutMs !== FIXED.idleTimeoutMs) {
    errors.push(`idleTimeoutMs ${idleTimeoutMs} (it has ${FIXED.idleTimeoutMs})`);
  }
  if (maxPacketBytes !== undefined && maxPacketBytes < FIXED.minMaxPacketBytes) {
    errors.push(`maxPacketBytes ${maxPacketBytes} (its packets grow to 1,452 bytes as the path takes them)`);
  }
  return errors;
}

/** What a server of quinn cannot do of what was asked for. */
export function judgeListenOptions(options: ListenWishes): { impossible: string[]; partial: string[] } {
  const impossible = fixedOptionErrors(options);
  const { retry } = options;
  if (retry === "always" || retry === "under-load") impossible.push(`retry ${retry} (it sends no Retry)`);
  for (const name of ["maxConnectionsPerSource", "newConnectionsPerSource"] as const) {
    if (options[name] !== undefined) impossible.push(`${name} (it does not tell who connects)`);
  }
  if (options.handshakeTimeoutMs !== undefined) {
    impossible.push(
      `handshakeTimeoutMs (only decisions end with it, handshakes with the idle timeout of ${FIXED.idleTimeoutMs} ms)`,
    );
  }
  if (options.origins !== undefined) impossible.push("origins (it does not tell a request's headers)");
  const partial: string[] = [];
  if (options.authorize !== undefined) {
    partial.push("authorize (it tells the path, and neither headers nor address)");
  }
  return { impossible, partial };
}
