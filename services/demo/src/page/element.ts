/** The element with an id. @throws TypeError where the page has none, or one of another kind */
export function element<T extends HTMLElement>(id: string, kind: new () => T): T {
  const found = document.getElementById(id);
  if (!(found instanceof kind)) throw new TypeError(`#${id}: is no ${kind.name}`);
  return found;
}
