import process from "node:process";

/** Says on standard error which cell is done and how long the rest will take, by the time that cells took so far. */
export function createProgress(total, nowMs = () => performance.now()) {
  const startMs = nowMs();
  let done = 0;
  return (text) => {
    done += 1;
    const restSeconds = Math.round((((nowMs() - startMs) / done) * (total - done)) / 1_000);
    const rest = `${Math.floor(restSeconds / 60)}:${String(restSeconds % 60).padStart(2, "0")} left`;
    process.stderr.write(`${done}/${total}, ${rest}: ${text}\n`);
  };
}
