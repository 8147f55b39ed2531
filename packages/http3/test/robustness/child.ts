import { type ChildProcess, fork } from "node:child_process";

/** Faults that a child noticed in itself: what nobody caught, and deaths of its worker. */
export interface ChildReport {
  readonly faults: readonly string[];
}

interface Reply {
  readonly id: number;
  readonly result?: unknown;
  readonly error?: string;
}

/** A process of its own with a table of commands (`serveCommands`), run with `--expose-gc`. */
export class Child {
  readonly #process: ChildProcess;
  readonly #waiting = new Map<number, { resolve(result: unknown): void; reject(error: Error): void }>();
  #nextId = 1;
  #death: string | undefined;
  #isEnding = false;

  /** `file`: beside this one, without its extension. */
  constructor(readonly file: string) {
    this.#process = fork(new URL(`./${file}.js`, import.meta.url), {
      execArgv: ["--expose-gc", "--enable-source-maps"],
      stdio: ["ignore", "inherit", "inherit", "ipc"],
    });
    this.#process.on("message", (reply: Reply) => {
      const waiting = this.#waiting.get(reply.id);
      this.#waiting.delete(reply.id);
      if (reply.error === undefined) waiting?.resolve(reply.result);
      else waiting?.reject(new Error(`${file}: ${reply.error}`));
    });
    this.#process.on("exit", (code, signal) => {
      if (!this.#isEnding) this.#death = `${file} ended with ${signal ?? `exit code ${code}`}`;
      for (const { reject } of this.#waiting.values()) reject(new Error(this.#death ?? `${file} has ended`));
      this.#waiting.clear();
    });
  }

  /** How it ended before it was told to; `undefined` while it lives. */
  get death(): string | undefined {
    return this.#death;
  }

  call<T>(command: string, argument: unknown = {}): Promise<T> {
    if (this.#death !== undefined) return Promise.reject(new Error(this.#death));
    const id = this.#nextId++;
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve: resolve as (result: unknown) => void, reject });
      this.#process.send({ id, command, argument });
    });
  }

  async end(): Promise<void> {
    this.#isEnding = true;
    if (this.#process.exitCode !== null || this.#process.signalCode !== null) return;
    const ended = new Promise((resolve) => this.#process.once("exit", resolve));
    this.#process.disconnect();
    await ended;
  }
}
