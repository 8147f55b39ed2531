import { type AllowsOrigin, createOriginList } from "@sluice/http3";

/** Origins of pages, several apart by commas or spaces, as one variable holds them. @throws RangeError naming the option */
export function readOrigins(text: string): readonly string[] {
  const origins = text.split(/[\s,]+/).filter((origin) => origin !== "");
  try {
    createOriginList(origins);
  } catch (cause) {
    throw new RangeError(`--origin: ${(cause as Error).message.replace(/^origin /, "")}`, { cause });
  }
  return origins;
}

/** The pages that a server takes sessions of. */
export interface ServedOrigins {
  readonly allows: AllowsOrigin;
  /** The demo's page is one of them: its address is known only once it is served. */
  addPage(url: string): void;
}

/** @returns `undefined` where every page may open sessions */
export function createServedOrigins(origins: readonly string[]): ServedOrigins | undefined {
  if (origins.length === 0) return undefined;
  let allows = createOriginList(origins);
  return {
    allows: (origin) => allows(origin),
    addPage(url) {
      const { port } = new URL(url);
      allows = createOriginList([...origins, new URL(url).origin, `http://localhost:${port}`]);
    },
  };
}
