import { type ChildProcess, spawn } from "node:child_process";
import type { Session, TransportServer } from "@sluice/transport";
import type { ClientSource } from "./client-context.js";
import { Unmet } from "./raw-peer.js";

/** A source that a case begins and ends with; clients of a case before must not reach the next one. */
export interface CaseSource extends ClientSource {
  end(): Promise<void>;
}

/** How sessions reach the cases of the client suite. */
export interface ClientSources {
  begin(): CaseSource;
}

/** Sessions go to the case that waits; others are turned away. */
function takeSessions(transport: TransportServer) {
  let waiting: ((session: Session) => void) | undefined;
  transport.onSession((session) => {
    if (!waiting) {
      session.close(0, "no case waits for a session");
      return;
    }
    waiting(session);
    waiting = undefined;
  });
  return {
    take: (give: (session: Session) => void) => {
      waiting = give;
    },
    drop: () => {
      waiting = undefined;
    },
  };
}

/** Waits for clients that somebody else points at the server, `limitMs` for each. */
export function createWaitingSources(
  transport: TransportServer,
  limitMs: number,
  signal: AbortSignal,
): ClientSources {
  const sessions = takeSessions(transport);
  return {
    begin: () => ({
      nextSession: () =>
        new Promise((resolve, reject) => {
          const timer = setTimeout(() => reject(new Unmet(`no client came in ${limitMs} ms`)), limitMs);
          const give = (session: Session) => {
            clearTimeout(timer);
            resolve(session);
          };
          sessions.take(give);
          signal.addEventListener(
            "abort",
            () => {
              clearTimeout(timer);
              reject(new Unmet("interrupted"));
            },
            { once: true },
          );
        }),
      end: async () => sessions.drop(),
    }),
  };
}

/** Time for a program to start on a busy machine. */
const startMs = 60_000;
const killMs = 2_000;

/**
 * Starts a program for each case: a line of the shell in which `{url}` and `{hash}` are replaced. It is ended with
 * SIGTERM when the case is over, and with SIGKILL where it stays.
 */
export function createCommandSources(transport: TransportServer, command: string): ClientSources {
  const sessions = takeSessions(transport);
  const line = command
    .replaceAll("{url}", transport.url)
    .replaceAll("{hash}", transport.certificateHash ?? "");
  return {
    begin() {
      let child: ChildProcess | undefined;
      return {
        nextSession: () =>
          new Promise((resolve, reject) => {
            let said = "";
            const timer = setTimeout(
              () => reject(new Unmet(`the command opened no session in ${startMs} ms`)),
              startMs,
            );
            sessions.take((session) => {
              clearTimeout(timer);
              resolve(session);
            });
            // In a group of its own, so that what the shell starts ends with it.
            child = spawn("/bin/sh", ["-c", line], { stdio: ["ignore", "ignore", "pipe"], detached: true });
            child.stderr!.setEncoding("utf8").on("data", (text: string) => {
              said = `${said}${text}`.slice(-1_000);
            });
            child.once("close", (code) => {
              clearTimeout(timer);
              reject(
                new Unmet(`the command ended with code ${code} before it opened a session: ${said.trim()}`),
              );
            });
          }),
        async end() {
          sessions.drop();
          const running = child;
          if (!running?.pid || running.exitCode !== null || running.signalCode !== null) return;
          const { pid } = running;
          const ended = new Promise((resolve) => running.once("close", resolve));
          process.kill(-pid, "SIGTERM");
          const timer = setTimeout(() => process.kill(-pid, "SIGKILL"), killMs);
          await ended;
          clearTimeout(timer);
        },
      };
    },
  };
}
