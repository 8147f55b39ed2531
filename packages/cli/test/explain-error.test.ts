import { ExitCode } from "@sluice/cli";
import { ClientError } from "@sluice/client";
import { EngineError, ModelError } from "@sluice/inference";
import { ErrorCode, ProtocolError } from "@sluice/protocol";
import { TensorError } from "@sluice/tensor";
import { ConnectError, StreamError } from "@sluice/transport";
import { CommanderError } from "commander";
import t from "tap";
import { asUsage, CliError } from "#cli/cli-error.js";
import { explainError } from "#cli/explain-error.js";

const system = (code: string, more: object = {}): Error =>
  Object.assign(new Error(`${code}: bind`), { code, syscall: "bind", ...more });

const cases: readonly (readonly [unknown, number, string])[] = [
  [new CliError(ExitCode.interrupted, "stopped"), 130, "stopped"],
  [new ConnectError("refused", "no answer"), 3, "no answer"],
  [new ConnectError("timeout", "too late"), 3, "too late"],
  [new ConnectError("certificate", "another hash"), 4, "another hash"],
  [new ConnectError("rejected", "no"), 6, "no"],
  [new ConnectError("bad-url", "not https"), 2, "not https"],
  [new ConnectError("engine", "does not load"), 1, "does not load"],
  [new ConnectError("engine", "bind EADDRINUSE ::1:1"), 3, "bind EADDRINUSE ::1:1"],
  [new ClientError("stream-rejected", ErrorCode.unknownModel, "no such model"), 6, "no such model"],
  [new ClientError("session-closed", ErrorCode.shutdown, ""), 7, "shutdown"],
  [new StreamError("closed", 0), 7, "stream closed with code 0"],
  [new ProtocolError(ErrorCode.protocolViolation, "two hellos"), 7, "two hellos"],
  [new ModelError("illegal-cut", "bypassed"), 5, "bypassed"],
  [new EngineError("load-failed", "no graph"), 5, "no graph"],
  [new EngineError("crashed", "gone"), 1, "gone"],
  [new TensorError("codec.quantize.levels", "too many"), 5, "codec.quantize.levels: too many"],
  [new TensorError("data", "too short"), 1, "data: too short"],
  [new RangeError('--listen: must be HOST:PORT, got "x"'), 2, '--listen: must be HOST:PORT, got "x"'],
  [new RangeError("Invalid typed array length: -1"), 1, "Invalid typed array length: -1"],
  [system("EADDRINUSE", { address: "::1", port: 4433 }), 3, "::1:4433: the address is in use already"],
  [system("ENOTFOUND", { hostname: "nowhere" }), 3, "nowhere: there is no such host"],
  [system("EACCES", { path: "/secret" }), 1, "/secret: permission denied"],
  [system("ENOENT", { path: "key.pem" }), 5, "key.pem: there is no such file or folder"],
  [system("EMFILE"), 1, "EMFILE: bind"],
  [new DOMException("aborted", "AbortError"), 130, "aborted"],
  [
    new CommanderError(1, "commander.unknownOption", "error: unknown option '--x'\n(Did you mean --y?)"),
    2,
    "unknown option '--x', did you mean --y?",
  ],
  [new Error("first\n  second\n"), 1, "first; second"],
  [new TypeError(""), 1, "TypeError"],
  ["a text", 1, "a text"],
];

for (const [error, exitCode, message] of cases) {
  t.test(message, async (t) => t.same(explainError(error), { exitCode, message }));
}

t.test("asUsage takes RangeErrors and TensorErrors for the user's, nothing else", async (t) => {
  t.equal(
    asUsage(() => 1),
    1,
  );
  for (const error of [new RangeError("wrong"), new TensorError("codec", "wrong")]) {
    t.throws(
      () =>
        asUsage(() => {
          throw error;
        }),
      { name: "CliError", exitCode: ExitCode.usage, message: error.message, cause: error },
    );
  }
  const other = new TypeError("ours");
  t.throws(
    () =>
      asUsage(() => {
        throw other;
      }),
    other,
  );
});
