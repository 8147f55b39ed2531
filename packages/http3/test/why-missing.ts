import { type EngineName, selectEngine } from "@sluice/http3";

/** Why an engine cannot run here, to skip its tests by, or false. */
export async function whyMissing(engine: EngineName): Promise<string | false> {
  try {
    await selectEngine(engine);
    return false;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
