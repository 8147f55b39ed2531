/** A host and a port as users write them: `127.0.0.1:4433`, `[::1]:4433`, `localhost:0`. */
export interface HostPort {
  readonly host: string;
  readonly port: number;
}

/** @throws RangeError naming the option */
export function parseHostPort(text: string, option: string): HostPort {
  const match = /^(?:\[([0-9a-fA-F:.]+)\]|([^:[\]\s]+)):(\d{1,5})$/.exec(text);
  const port = Number(match?.[3]);
  const host = match?.[1] ?? match?.[2];
  if (!host || !(port <= 65_535)) {
    throw new RangeError(`${option}: must be HOST:PORT as 127.0.0.1:4433 or [::1]:4433, got "${text}"`);
  }
  return { host, port };
}
