// Generates gen/sluice.js and gen/sluice.d.ts from the .proto files, when they are older than their sources.
import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));
const require = createRequire(import.meta.url);
const sources = readdirSync(join(here, "sluice/v1"))
  .filter((name) => name.endsWith(".proto"))
  .map((name) => join(here, "sluice/v1", name));
const outputs = [join(here, "gen/sluice.js"), join(here, "gen/sluice.d.ts")];

function isFresh() {
  try {
    const newest = Math.max(...[...sources, fileURLToPath(import.meta.url)].map((f) => statSync(f).mtimeMs));
    return outputs.every((file) => statSync(file).mtimeMs > newest);
  } catch {
    return false;
  }
}

function call(tool, args) {
  return new Promise((resolve, reject) => {
    require(`protobufjs-cli/${tool}`).main(args, (error, output) =>
      error ? reject(error) : resolve(output),
    );
  });
}

if (!isFresh()) {
  mkdirSync(join(here, "gen"), { recursive: true });
  const [js, types] = outputs;
  const code = await call("pbjs", [
    ...["-t", "static-module", "-w", "es6", "--es6", "-p", here, "-r", "sluice"],
    ...[
      "--no-create",
      "--no-verify",
      "--no-convert",
      "--no-delimited",
      "--no-typeurl",
      "--no-service",
      "--force-number",
    ],
    ...sources,
  ]);
  writeFileSync(js, code);
  // 64-bit fields are plain numbers here, so the declared type Long has no use.
  const declarations = await call("pbts", [js]);
  writeFileSync(types, declarations.replace('import Long = require("long");\n', ""));
  // Fields of newer versions are ignored (spec 4.1): nobody reads them, so nothing keeps them.
  const keepUnknown = / *if \(!reader\.discardUnknown\) \{\n.*\n.*\n *\}\n/g;
  const writeUnknown =
    / *if \(message\.\$unknowns != null .*\n.*\n.*writer\.raw\(message\.\$unknowns\[i\]\);\n/g;
  writeFileSync(js, readFileSync(js, "utf8").replaceAll(keepUnknown, "").replaceAll(writeUnknown, ""));
  // A page gets the build without 64-bit integers of their own class, which
  // are plain numbers here (package.json, imports).
  writeFileSync(js, readFileSync(js, "utf8").replace(/"protobufjs\/minimal(\.js)?"/, '"#protobuf"'));
}
