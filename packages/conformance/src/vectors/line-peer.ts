import { type ChildProcess, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import type { Json, JsonObject } from "./vector.js";

/** What an implementation answered to a request. */
export type LineAnswer =
  | { readonly type: "output"; readonly output: Json }
  | { readonly type: "error"; readonly error: string }
  | { readonly type: "unsupported" }
  /** It crashed, did not answer in time, or wrote something else. */
  | { readonly type: "broken"; readonly reason: string };

/** An implementation under test: a process that answers one JSON line with one JSON line. */
export interface LinePeer {
  ask(op: string, input: JsonObject): Promise<LineAnswer>;
  /** Ends the process. */
  close(): Promise<void>;
}

export type LineCommand = readonly [program: string, ...args: string[]];

/** Generous: an interpreter may have to start, on a busy machine. */
const defaultTimeoutMs = 60_000;

/** Starts a process when the first request comes, and again where one has ended or hangs. One request at a time. */
export function createLinePeer(command: LineCommand, timeoutMs = defaultTimeoutMs): LinePeer {
  let child: ChildProcess | undefined;
  let answered: ((answer: LineAnswer) => void) | undefined;
  let nextId = 1;
  let lastError = "";

  function start(): ChildProcess {
    const [program, ...args] = command;
    const started = spawn(program, args, { stdio: ["pipe", "pipe", "pipe"] });
    lastError = "";
    const end = (reason: string) => {
      if (child !== started) return;
      child = undefined;
      answered?.({ type: "broken", reason: lastError === "" ? reason : `${reason}: ${lastError}` });
    };
    started.once("error", (error) => end(error.message));
    started.once("close", (code, signal) => end(`the process ended (${signal ?? `code ${code}`})`));
    started.stdin!.on("error", () => {});
    started.stderr!.setEncoding("utf8").on("data", (text: string) => {
      lastError = text.trimEnd().split("\n").at(-1) ?? "";
    });
    createInterface({ input: started.stdout! }).on("line", (line) => {
      if (child === started) answered?.(readAnswer(line, nextId - 1));
    });
    return started;
  }

  return {
    async ask(op, input) {
      child ??= start();
      const running = child;
      const id = nextId++;
      let timer: NodeJS.Timeout | undefined;
      const answer = await new Promise<LineAnswer>((resolve) => {
        answered = resolve;
        timer = setTimeout(
          () => resolve({ type: "broken", reason: `no answer in ${timeoutMs} ms` }),
          timeoutMs,
        );
        running.stdin!.write(`${JSON.stringify({ id, op, input })}\n`);
      });
      clearTimeout(timer);
      answered = undefined;
      if (answer.type === "broken" && child === running) {
        child = undefined;
        running.kill("SIGKILL");
      }
      return answer;
    },
    async close() {
      const running = child;
      child = undefined;
      if (!running) return;
      const ended = new Promise((resolve) => running.once("close", resolve));
      running.stdin!.end();
      const killer = setTimeout(() => running.kill("SIGKILL"), 5_000);
      await ended;
      clearTimeout(killer);
    },
  };
}

function readAnswer(line: string, id: number): LineAnswer {
  let answer: Record<string, Json>;
  try {
    answer = JSON.parse(line) as Record<string, Json>;
  } catch {
    return { type: "broken", reason: `not JSON: ${line.slice(0, 200)}` };
  }
  if (typeof answer !== "object" || answer === null || answer.id !== id) {
    return { type: "broken", reason: `not the answer to request ${id}: ${line.slice(0, 200)}` };
  }
  if (answer.unsupported === true) return { type: "unsupported" };
  if (typeof answer.error === "string") return { type: "error", error: answer.error };
  if (answer.output !== undefined) return { type: "output", output: answer.output };
  return { type: "broken", reason: `neither output nor error: ${line.slice(0, 200)}` };
}
