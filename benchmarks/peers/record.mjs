// Cells as JSON lines: a header that says where and of what, then one line for each cell.
import { appendFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import { describeEnvironment, readLoad } from "../micro/transport/environment.mjs";

const RESULTS = new URL("../results/peers/", import.meta.url);

export const resultFile = (command) => fileURLToPath(new URL(`${command}.jsonl`, RESULTS));

/** @returns the header and the cells of a file; no cells where there is no such file */
export function readRecord(file) {
  if (!existsSync(file)) return { header: undefined, cells: [] };
  // A run that was killed may have left half a line.
  const lines = readFileSync(file, "utf8").split("\n").slice(0, -1);
  const [header, ...cells] = lines.map((line) => JSON.parse(line));
  return { header, cells };
}

const isSameRun = (a, b) =>
  ["environment.commit", "environment.cpu", "seed", "seconds"].every((path) => {
    const valueIn = (from) => path.split(".").reduce((value, name) => value?.[name], from);
    return valueIn(a) === valueIn(b);
  });

/**
 * Where cells go as they are measured, so that a run that is cut off goes on where it was.
 * @param settings what the header says beside the machine: seed, seconds, whatever decides the result
 * @param options.file absent: nothing is written
 * @param options.resume keeps the cells of a file whose header is of the same commit, machine, seed and seconds
 */
export function openRecord(settings, { file, resume = false }) {
  const header = { ...settings, environment: describeEnvironment(), load: readLoad() };
  const before = file === undefined ? { cells: [] } : readRecord(file);
  const kept = resume && before.header !== undefined && isSameRun(before.header, header) ? before.cells : [];
  const cells = [...kept];
  const done = new Set(kept.map(({ key }) => key));
  if (file !== undefined) {
    mkdirSync(dirname(file), { recursive: true });
    const lines = [kept.length > 0 ? before.header : header, ...kept];
    writeFileSync(file, lines.map((value) => `${JSON.stringify(value)}\n`).join(""));
  }
  return {
    header,
    cells,
    has: (key) => done.has(key),
    /** @param cell `key` names it within the run; the load of the machine is added */
    add(cell) {
      const line = { ...cell, load: readLoad()[0] };
      cells.push(line);
      if (file !== undefined) appendFileSync(file, `${JSON.stringify(line)}\n`);
      return line;
    },
  };
}
