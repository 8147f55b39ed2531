/** Ids that are kept; a client would have to open and end so many sessions within one reordering of packets. */
const MAX_IDS = 64;

/** The sessions of a connection that ended last: streams and datagrams may still come for them. */
export class EndedSessions {
  readonly #ids = new Set<number>();

  has(id: number): boolean {
    return this.#ids.has(id);
  }

  add(id: number): void {
    this.#ids.add(id);
    if (this.#ids.size <= MAX_IDS) return;
    for (const oldest of this.#ids) {
      this.#ids.delete(oldest);
      return;
    }
  }
}
