// A client with an accepted stream, and what it sends in it.
import { accept, does, message, open, openBody, says, wait, welcome } from "./session-steps.mjs";

export const said = says(10, welcome);
export const opens = does(20, { open: { ...openBody, stream: 1 } }, { says: [open()] });
export const isAccepted = says(30, accept());
export const data = "010203040506";
export const send = (at, expect, fields = {}) =>
  does(at, { send: { stream: 1, data, slices: 2, ...fields } }, expect);
export const goes = (frame, fields = {}) => ({
  admitted: true,
  sent: [{ stream: 1, frame, data, ...fields }],
});
export const stays = { admitted: false, noSlices: true };
export const first = wait(0, { says: [message("hello", { versions: [1] })] });

/** The one datagram with slices has come: a path without any sign of it could be taken for dark (3.3). */
export const report = message("feedback", {
  datagramsReceived: 1,
  bytesReceived: 40,
  nextSequence: 1,
  received: "01",
});
