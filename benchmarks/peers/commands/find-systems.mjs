import { findSystem, whyMissing } from "../systems/index.mjs";

/** Those that can run here; why others cannot is said. */
export async function findSystems(names) {
  const found = [];
  for (const name of names) {
    const reason = await whyMissing(findSystem(name));
    if (reason === undefined) found.push(name);
    else console.error(`left out: ${name}: ${reason}`);
  }
  return found;
}
