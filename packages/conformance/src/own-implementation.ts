import { fileURLToPath } from "node:url";
import type { LineCommand } from "./vectors/line-peer.js";

/** Starts the repository's own implementation as any other: a process that speaks the line protocol. */
export const ownImplementation: LineCommand = [
  process.execPath,
  fileURLToPath(new URL("./adapter/main.js", import.meta.url)),
];

/** The vectors of the checkout that this package lies in. */
export const ownVectorsDirectory: string = fileURLToPath(new URL("../../../spec/vectors", import.meta.url));
