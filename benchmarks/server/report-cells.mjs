// How figures stand in the report's tables.

export const ms = (value) => value.toFixed(1);
export const verdict = (isReached) => (isReached ? "reached" : "MISSED");
