/** How much a datagram of one session holds, and who wants to know when that changes. */
export class DatagramSize {
  #bytes: number;
  #handler: ((bytes: number) => void) | undefined;

  constructor(bytes: number) {
    this.#bytes = bytes;
  }

  get bytes(): number {
    return this.#bytes;
  }

  set(bytes: number): void {
    if (bytes === this.#bytes) return;
    this.#bytes = bytes;
    this.#handler?.(bytes);
  }

  on(handler: (bytes: number) => void): void {
    this.#handler = handler;
  }
}
