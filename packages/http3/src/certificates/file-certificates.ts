import { type FSWatcher, watch } from "node:fs";
import { readFile } from "node:fs/promises";
import { dirname } from "node:path";
import type { Log } from "../engine.js";
import type { CertificateSource } from "./certificate-source.js";
import { readServedCertificate, type ServedCertificate } from "./served-certificate.js";

/** Where a certificate lies. */
export interface CertificateFiles {
  /** Path of the chain in PEM, the server's own certificate first. */
  readonly certFile: string;
  /** Path of the key in PEM. */
  readonly keyFile: string;
}

/** Whoever writes two files is given so long before they are read. */
const DEBOUNCE_MS = 300;
/** Some file systems report no changes. */
const POLL_MS = 60_000;

/**
 * A certificate in files, read again when they change. Their folders are watched and not they themselves: a file that
 * is renamed into place, or a link that is turned, is another file.
 */
export class FileCertificates implements CertificateSource {
  current: ServedCertificate;
  readonly next = undefined;
  previous: ServedCertificate | undefined;
  readonly #watchers: FSWatcher[] = [];
  readonly #poll: NodeJS.Timeout;
  #debounce: NodeJS.Timeout | undefined;
  #handlers: ((certificate: ServedCertificate) => void)[] = [];
  #reading: Promise<void> = Promise.resolve();
  /** What was complained about last, so that it is said once. */
  #complaint = "";

  private constructor(
    readonly files: CertificateFiles,
    readonly log: Log,
    first: ServedCertificate,
  ) {
    this.current = first;
    for (const folder of new Set([dirname(files.certFile), dirname(files.keyFile)])) this.#watch(folder);
    this.#poll = setInterval(() => void this.reload(), POLL_MS).unref();
  }

  /** Rejects where the files are missing or do not hold a certificate and its key. */
  static async open(files: CertificateFiles, log: Log): Promise<FileCertificates> {
    return new FileCertificates(files, log, await read(files));
  }

  onChange(handler: (certificate: ServedCertificate) => void): void {
    this.#handlers.push(handler);
  }

  reload(): Promise<void> {
    this.#reading = this.#reading.then(() => this.#read());
    return this.#reading;
  }

  close(): void {
    for (const watcher of this.#watchers) watcher.close();
    clearTimeout(this.#debounce);
    clearInterval(this.#poll);
  }

  #watch(folder: string): void {
    try {
      const watcher = watch(folder, { persistent: false }, () => {
        clearTimeout(this.#debounce);
        this.#debounce = setTimeout(() => void this.reload(), DEBOUNCE_MS).unref();
      });
      watcher.on("error", (error) => this.#sayNotWatched(folder, error));
      this.#watchers.push(watcher);
    } catch (error) {
      this.#sayNotWatched(folder, error);
    }
  }

  #sayNotWatched(folder: string, error: unknown): void {
    this.log("warn", "the certificate's folder cannot be watched; it is read again every minute", {
      folder,
      error: String(error),
    });
  }

  async #read(): Promise<void> {
    let found: ServedCertificate;
    try {
      found = await read(this.files);
    } catch (error) {
      const complaint = error instanceof Error ? error.message : String(error);
      if (complaint !== this.#complaint) {
        this.log("error", "the certificate files are not usable; the old certificate stays", {
          ...this.files,
          error: complaint,
          notAfter: this.current.notAfter.toISOString(),
        });
      }
      this.#complaint = complaint;
      return;
    }
    this.#complaint = "";
    if (found.cert === this.current.cert && found.key === this.current.key) return;
    this.previous = this.current;
    this.current = found;
    this.log("info", "new connections get the certificate that was read again", {
      hash: found.hash,
      notAfter: found.notAfter.toISOString(),
    });
    for (const handler of this.#handlers) handler(found);
  }
}

async function read({ certFile, keyFile }: CertificateFiles): Promise<ServedCertificate> {
  const [cert, key] = await Promise.all([readFile(certFile, "utf8"), readFile(keyFile, "utf8")]);
  return readServedCertificate({ cert, key });
}
