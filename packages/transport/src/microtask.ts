// Every runtime has it; the compiler, which knows neither Node nor the DOM here, is told so.
declare function queueMicrotask(callback: () => void): void;

/** Runs `callback` after the current task's synchronous part; what it throws is uncaught, not lost. */
export function runSoon(callback: () => void): void {
  queueMicrotask(callback);
}
