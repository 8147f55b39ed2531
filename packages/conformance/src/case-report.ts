/** What became of the cases of a suite, and which of them were known to fail. */
import { matchesGlob } from "./known-failures.js";

/** How one case ended before what is known of it is asked. */
export interface CaseResult {
  readonly id: string;
  /** Why it failed; `undefined`: it passed. */
  readonly failure: string | undefined;
}

export type Verdict = "passed" | "failed" | "known" | "unexpected-pass";

export interface JudgedCase extends CaseResult {
  readonly verdict: Verdict;
}

/** The cases of a run and their sums; `ok` only where nothing failed and nothing passed that was known to fail. */
export interface SuiteReport {
  readonly ok: boolean;
  readonly counts: Readonly<Record<Verdict, number>>;
  readonly cases: readonly JudgedCase[];
  /** Patterns that no case matched: leftovers. */
  readonly unusedPatterns: readonly string[];
}

/** Known failures run all the same; one that passes has to be taken off the list, and so fails. */
export function judgeCases(results: readonly CaseResult[], knownFailures: readonly string[]): SuiteReport {
  const used = new Set<string>();
  const cases = results.map((result): JudgedCase => {
    const pattern = knownFailures.find((known) => matchesGlob(known, result.id));
    if (pattern !== undefined) used.add(pattern);
    const passed = result.failure === undefined;
    const verdict =
      pattern === undefined ? (passed ? "passed" : "failed") : passed ? "unexpected-pass" : "known";
    return { ...result, verdict };
  });
  const counts = { passed: 0, failed: 0, known: 0, "unexpected-pass": 0 };
  for (const { verdict } of cases) counts[verdict]++;
  return {
    ok: cases.length > 0 && counts.failed === 0 && counts["unexpected-pass"] === 0,
    ...{ counts, cases, unusedPatterns: knownFailures.filter((known) => !used.has(known)) },
  };
}

/** For people: what must change, one line each, and the sums. */
export function formatReport(report: SuiteReport): string {
  const lines = report.cases.flatMap(({ id, verdict, failure }) => {
    if (verdict === "unexpected-pass")
      return [`UNEXPECTED PASS  ${id}: take it off the list of known failures`];
    return verdict === "failed" ? [`FAILED  ${id}: ${failure}`] : [];
  });
  const leftovers = report.unusedPatterns.map((pattern) => `note    no case is called ${pattern}`);
  const { passed, failed, known, "unexpected-pass": unexpected } = report.counts;
  const sums = `${passed} passed, ${failed} failed, ${known} known to fail, ${unexpected} unexpectedly passed`;
  return `${[...lines, ...leftovers, sums].join("\n")}\n`;
}
