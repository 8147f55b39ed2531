/** Decides by the origin of a page (RFC 6454 7), as it stands in the request's header `origin`. */
export type AllowsOrigin = (origin: string) => boolean;

const FORM = "expected *, null, or an origin such as https://app.example:8443 or https://*.example.org";
/** A scheme, a host whose first label may be `*`, and a port: what browsers write, and nothing behind it. */
const PATTERN = /^([a-z][a-z0-9+.-]*):\/\/(\*\.)?([^/?#@*\s]+)$/i;

/**
 * Makes a decision of a list of origins. `https://app.example` is that origin alone: scheme, host and port are compared.
 * `https://*.example.org` is every host below example.org, at any depth, without example.org itself. `*` is every origin,
 * and `null` what pages without one say: sandboxed frames and files.
 * @throws RangeError naming the entry that is no origin
 */
export function createOriginList(patterns: readonly string[]): AllowsOrigin {
  const origins = new Set<string>();
  const parents: { readonly scheme: string; readonly suffix: string }[] = [];
  let all = false;
  for (const pattern of patterns) {
    if (pattern === "*") all = true;
    else if (pattern === "null") origins.add(pattern);
    else {
      const [, scheme = "", wildcard, host = ""] = PATTERN.exec(pattern) ?? [];
      const origin = serialize(`${scheme}://${host}`);
      if (origin === undefined) throw new RangeError(`origin "${pattern}": ${FORM}`);
      if (wildcard === undefined) origins.add(origin);
      else
        parents.push({ scheme: `${scheme.toLowerCase()}://`, suffix: `.${origin.slice(scheme.length + 3)}` });
    }
  }
  return (origin) =>
    all ||
    origins.has(origin) ||
    // The scheme has an end of its own, so that nothing but hosts can stand before the suffix.
    parents.some(
      ({ scheme, suffix }) =>
        origin.startsWith(scheme) &&
        origin.endsWith(suffix) &&
        /^[a-z0-9-]+(\.[a-z0-9-]+)*$/.test(origin.slice(scheme.length, -suffix.length)),
    );
}

/** As a browser writes it: in lower case, without the scheme's own port; `undefined` where it is no origin. */
function serialize(text: string): string | undefined {
  if (!URL.canParse(text)) return undefined;
  const { protocol, host, pathname } = new URL(text);
  if (host === "" || (pathname !== "" && pathname !== "/")) return undefined;
  return `${protocol}//${host}`;
}
