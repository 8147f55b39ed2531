/**
 * Whether a frame is predicted by an encoder that remembers four frames and has coded frame 0: what the case is called, the
 * frame's number, what was acknowledged before it, and the answer.
 */
export const acknowledgementCases = [
  ["acknowledged", 1, [0], true],
  ["four before", 4, [0], true],
  ["five before", 5, [0], false],
  ["not acknowledged", 1, [], false],
  ["another is", 1, [7], false],
  ["itself", 0, [0], false],
  ["no number", undefined, [0], false],
] as const;
