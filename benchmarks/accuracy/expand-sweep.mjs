/** More chains than this in one sweep are a slip of the pen. */
const maxChains = 1_000;

/**
 * The chains that a text with alternatives in braces stands for: `quantize:levels={4,8},clip={3,6}` are four.
 * @returns each with its `series`: the chains that differ in the last braces alone, where `…` stands in their place
 * @throws Error naming the text whose braces do not fit or that stands for too many chains
 */
export function expandSweep(text) {
  const parts = text.split(/\{([^{}]*)\}/);
  if (parts.some((part, i) => i % 2 === 0 && /[{}]/.test(part))) {
    throw new Error(`sweep ${JSON.stringify(text)}: braces must be in pairs and not inside one another`);
  }
  const last = parts.length - 2;
  let chains = [{ text: parts[0], series: parts[0] }];
  for (let i = 1; i < parts.length; i += 2) {
    const values = parts[i].split(",").map((value) => value.trim());
    if (values.includes(""))
      throw new Error(`sweep ${JSON.stringify(text)}: {${parts[i]}} has an empty value`);
    if (chains.length * values.length > maxChains) {
      throw new Error(`sweep ${JSON.stringify(text)}: more than ${maxChains} chains`);
    }
    chains = chains.flatMap((chain) =>
      values.map((value) => ({
        text: `${chain.text}${value}${parts[i + 1]}`,
        series: `${chain.series}${i === last ? "…" : value}${parts[i + 1]}`,
      })),
    );
  }
  return chains;
}
