import { TensorError } from "@sluice/tensor";

/** Ways to fill what did not arrive; `conceal` says what each does. */
export const concealmentMethods = ["zero", "channel-mean", "data-set-mean"] as const;
export type ConcealmentMethod = (typeof concealmentMethods)[number];

/** Whether a method can only work with the statistics of the cut. */
export function needsStatistics(method: ConcealmentMethod): boolean {
  return method === "data-set-mean";
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
