/** Stands for header fields that were there and are not known: whoever decides by one of them must not see "absent". */
export class UnknownHeaders implements ReadonlyMap<string, string> {
  get size(): number {
    return refuse();
  }
  get(): string | undefined {
    return refuse();
  }
  has(): boolean {
    return refuse();
  }
  forEach(): void {
    refuse();
  }
  entries(): MapIterator<[string, string]> {
    return refuse();
  }
  keys(): MapIterator<string> {
    return refuse();
  }
  values(): MapIterator<string> {
    return refuse();
  }
  [Symbol.iterator](): MapIterator<[string, string]> {
    return refuse();
  }
}

function refuse(): never {
  throw new Error(
    "the engine quinn does not tell a request's headers: choose another engine, or decide by path",
  );
}
