// npm run check: the linter, the arrows between the packages, the types. Writes nothing but build outputs.
import { runChecks } from "./checks.mjs";
import { install, setUp, setUpOrExit } from "./setup.mjs";

await setUpOrExit(install);
for (const { name, ok, output } of runChecks()) {
  console.log(ok ? `ok      ${name}` : `FAILED  ${name}\n${output}\n`);
  if (!ok) process.exitCode = 1;
}
await setUpOrExit(setUp);
console.log("ok      types");
