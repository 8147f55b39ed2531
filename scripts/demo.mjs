// npm run demo: makes the checkout ready, then runs `sluice demo` with the arguments given.
import { setUpOrExit } from "./setup.mjs";

await setUpOrExit();
// In this process, so that Ctrl-C reaches it once and its exit code is ours.
const { main } = await import("../packages/cli/dist/index.js");
process.exitCode = await main(["demo", ...process.argv.slice(2)]);
