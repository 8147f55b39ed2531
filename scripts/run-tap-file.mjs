// Runs one test file in a process of its own and reads its TAP (https://testanything.org, version 14).
import { spawn } from "node:child_process";
import { Parser } from "tap-parser";

/** How much of what a failing file wrote to stderr is shown, in characters. */
const maxStderr = 8000;

/** Counts the assertions below a parser into `report`; returns how many of them failed. */
function watch(parser, path, report) {
  const counts = { total: 0, failed: 0 };
  let lastChild;
  const fail = (name, diagnostics) => {
    counts.failed++;
    report.failures.push({ name: [...path, name].join(" > "), diagnostics });
  };
  parser.on("child", (child) => {
    lastChild = watch(child, [...path, child.name], report);
  });
  parser.on("assert", (result) => {
    const child = result.closingTestPoint ? lastChild : undefined;
    lastChild = undefined;
    if (child !== undefined && child.total > 0) {
      counts.total += child.total;
      counts.failed += child.failed;
      // A subtest can fail without any assertion in it: a plan that was not met.
      if (!result.ok && child.failed === 0) fail(result.name, result.diag);
      return;
    }
    counts.total++;
    if (result.skip !== false || result.todo !== false) {
      const reason = result.skip || result.todo;
      report.skipped.push({
        name: [...path, result.name].join(" > "),
        reason: reason === true ? "no reason given" : reason,
      });
    } else if (result.ok) report.passed++;
    else fail(result.name, result.diag);
  });
  parser.on("bailout", (reason) => {
    if (path.length === 0) fail("bail out", { reason });
  });
  return counts;
}

/** Whether a result already says that something went wrong here. */
function describeEnd(code, signal, timedOut, limitMs) {
  if (timedOut) return `took longer than ${limitMs / 1000} s and was stopped`;
  return signal === null ? `ended with exit code ${code}` : `was ended by ${signal}`;
}

/**
 * Runs a test file with Node.
 * @param {string} path as it is shown, relative to `root`
 * @param {{ root: string, limitMs: number }} options
 * @returns {Promise<{ path: string, passed: number, skipped: { name: string, reason: string }[],
 *   failures: { name: string, diagnostics: unknown }[], stderr: string, milliseconds: number }>}
 */
export function runTapFile(path, { root, limitMs }) {
  return new Promise((resolve) => {
    const started = performance.now();
    const report = { path, passed: 0, skipped: [], failures: [], stderr: "", milliseconds: 0 };
    const parser = new Parser();
    const top = watch(parser, [], report);
    const child = spawn(process.execPath, ["--enable-source-maps", path], {
      cwd: root,
      stdio: ["ignore", "pipe", "pipe"],
      // tap's own limit comes first: it says which test was running.
      env: { ...process.env, TAP: "1", TAP_TIMEOUT: String((limitMs / 1000) * 0.8), NO_COLOR: "1" },
    });
    let timedOut = false;
    const limit = setTimeout(() => {
      timedOut = true;
      child.kill("SIGKILL");
    }, limitMs);
    child.stdout.on("data", (chunk) => parser.write(chunk));
    child.stderr.on("data", (chunk) => {
      report.stderr = (report.stderr + chunk).slice(-maxStderr);
    });
    child.on("error", (error) => report.failures.push({ name: `cannot start: ${error.message}` }));
    child.on("close", (code, signal) => {
      clearTimeout(limit);
      const finish = () => {
        report.milliseconds = performance.now() - started;
        if (report.failures.length === 0) {
          if (code !== 0) report.failures.push({ name: describeEnd(code, signal, timedOut, limitMs) });
          else if (top.total === 0) report.failures.push({ name: "holds no test" });
        } else if (timedOut) report.failures.push({ name: describeEnd(code, signal, timedOut, limitMs) });
        resolve(report);
      };
      parser.once("complete", finish);
      parser.end();
    });
  });
}
