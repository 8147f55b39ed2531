import { TensorError } from "@sluice/tensor";

/** Ways to fill what did not arrive; `createConcealer` says what each does. */
export const concealmentMethods = [
  "auto",
  "zero",
  "channel-mean",
  "data-set-mean",
  "hybrid",
  "spatial",
  "inter-channel",
  "temporal",
] as const;
export type ConcealmentMethod = (typeof concealmentMethods)[number];

/** What is used where nobody says. */
export const defaultConcealment: ConcealmentMethod = "auto";

/** Whether a method can only work with the statistics of the cut. */
export function needsStatistics(method: ConcealmentMethod): boolean {
  return method === "data-set-mean" || method === "hybrid" || method === "inter-channel";
}

/** Whether a method makes use of an earlier tensor of the stream. */
export function usesReference(method: ConcealmentMethod): boolean {
  return method === "auto" || method === "temporal";
}

/** @throws TensorError naming the text and the methods there are. */
export function parseConcealmentMethod(text: string): ConcealmentMethod {
  const method = concealmentMethods.find((name) => name === text);
  if (method === undefined) {
    const known = concealmentMethods.join(", ");
    throw new TensorError("concealment", `unknown method ${JSON.stringify(text)} (known: ${known})`);
  }
  return method;
}
