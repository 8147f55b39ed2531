// What a process and those that it has started hold, as the kernel counts it (Linux).
import { readdirSync, readFileSync } from "node:fs";

const kibibyte = 1_024;

/** The processes that a process has started, and those that they have, with itself. */
function withChildren(pid) {
  const found = [pid];
  for (const parent of found) {
    for (const task of list(`/proc/${parent}/task`)) {
      const children = read(`/proc/${parent}/task/${task}/children`);
      for (const child of children.split(" ")) if (child !== "") found.push(Number(child));
    }
  }
  return found;
}

/**
 * Resident memory in bytes, open files and threads of a process with all that it has started. Pages that several of them
 * share count once each (`Pss`), where the kernel tells. What has ended meanwhile counts nothing.
 */
export function lookFromOutside(pid) {
  const processes = withChildren(pid);
  const total = (count) => processes.reduce((sum, one) => sum + count(one), 0);
  return {
    rssBytes: total((one) => kibibyte * (field(read(`/proc/${one}/smaps_rollup`), "Pss") ?? rssOf(one))),
    files: total((one) => list(`/proc/${one}/fd`).length),
    threads: total((one) => list(`/proc/${one}/task`).length),
  };
}

const rssOf = (pid) => field(read(`/proc/${pid}/status`), "VmRSS") ?? 0;

/** In the kernel's "kB". */
function field(text, name) {
  const [, value] = new RegExp(`^${name}:\\s+(\\d+)`, "m").exec(text) ?? [];
  return value === undefined ? undefined : Number(value);
}

function read(path) {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}

function list(path) {
  try {
    return readdirSync(path);
  } catch {
    return [];
  }
}
