// How figures are written in tables.
import { systems } from "../systems/index.mjs";

export const percent = (value) => (Number.isFinite(value) ? `${(value * 100).toFixed(1)}` : "–");
export const milliseconds = (value) => (Number.isFinite(value) ? value.toFixed(0) : "–");

export const titleOf = ({ name, congestion }) => systems[name].title + (congestion ? ` (${congestion})` : "");
