import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import t from "tap";
import { checkArrows, findCycles, readWorkspace } from "../check-arrows.mjs";

const manifest = (name, dependencies = [], more = {}) =>
  JSON.stringify({
    name: `@sluice/${name}`,
    dependencies: Object.fromEntries(dependencies.map((d) => [d, "1.0.0"])),
    ...more,
  });
const config = (references = [], compilerOptions = {}) =>
  JSON.stringify({
    extends: "../../tsconfig.base.json",
    compilerOptions,
    references: references.map((name) => ({ path: `../${name}` })),
  });

/** A small workspace without offences, for each test to break in one place. */
const sound = () =>
  new Map([
    [
      "tsconfig.base.json",
      '{ "compilerOptions": { "types": [], "lib": ["ES2022"] } } // comments are allowed',
    ],
    ["proto/package.json", manifest("proto", ["protobufjs"])],
    ["packages/tensor/package.json", manifest("tensor")],
    ["packages/tensor/tsconfig.json", config()],
    ["packages/tensor/src/index.ts", 'export { a } from "./a.js";'],
    ["packages/tensor/src/a.ts", "export const a = 1;"],
    ["packages/codec/package.json", manifest("codec", ["@sluice/tensor"])],
    ["packages/codec/tsconfig.json", config(["tensor"])],
    ["packages/codec/src/index.ts", 'import { a } from "@sluice/tensor"; export const b = a;'],
    ["packages/transport/package.json", manifest("transport")],
    ["packages/transport/tsconfig.json", config()],
    ["packages/transport/src/index.ts", "export {};"],
    [
      "packages/server/package.json",
      manifest("server", ["@sluice/codec", "@sluice/proto", "pino"], {
        devDependencies: { "@sluice/metrics": "1" },
      }),
    ],
    ["packages/server/tsconfig.json", config(["codec"], { types: ["node"] })],
    [
      "packages/server/test/tsconfig.json",
      JSON.stringify({ references: [{ path: ".." }, { path: "../../metrics" }] }),
    ],
    [
      "packages/server/src/index.ts",
      'import { readFile } from "node:fs/promises"; import "pino/file"; import type { X } from "@sluice/proto"; import "@sluice/codec";',
    ],
    ["packages/metrics/package.json", manifest("metrics")],
    ["packages/metrics/tsconfig.json", config([], { types: ["node"] })],
    ["packages/metrics/src/index.ts", 'import "fs";'],
    ["services/demo/package.json", manifest("demo", ["@sluice/server"])],
    ["services/demo/src/main.ts", 'import "@sluice/server";'],
  ]);

t.test("a sound workspace has no offences", async (t) => {
  t.same(checkArrows(sound()), []);
});

/** Name, files that replace those of the sound workspace, and what must be said: nothing less, nothing more. */
const BROKEN = [
  [
    "an arrow that points back",
    {
      "packages/tensor/package.json": manifest("tensor", ["@sluice/codec"]),
      "packages/tensor/tsconfig.json": config(["codec"]),
      "packages/tensor/src/a.ts": 'import { b } from "@sluice/codec"; export const a = b;',
    },
    [
      /^packages\/tensor\/package\.json: @sluice\/tensor must not depend on @sluice\/codec \(rank 1 is above rank 0\)$/,
      /^packages\/tensor\/src\/a\.ts: @sluice\/tensor must not depend on @sluice\/codec/,
    ],
  ],
  [
    "an arrow between equals",
    {
      "packages/server/package.json": manifest("server", [
        "@sluice/codec",
        "@sluice/proto",
        "pino",
        "@sluice/metrics",
      ]),
      "packages/server/tsconfig.json": config(["codec", "metrics"], { types: ["node"] }),
    },
    [/server\/package\.json: @sluice\/server must not depend on @sluice\/metrics \(of the same rank 2\)$/],
  ],
  [
    "tensor and proto importing each other",
    {
      "packages/tensor/package.json": manifest("tensor", ["@sluice/proto"]),
      "packages/tensor/src/a.ts": 'export type { X } from "@sluice/proto";',
    },
    [/tensor\/package\.json: .*of the same rank 0/, /tensor\/src\/a\.ts: .*of the same rank 0/],
  ],
  [
    "a package that nothing declares",
    { "packages/server/src/index.ts": 'const x = await import("left-pad"); export { x };' },
    [
      /^packages\/server\/src\/index\.ts: imports "left-pad", which is not in the dependencies of packages\/server/,
    ],
  ],
  [
    "a development dependency in src",
    { "packages/server/src/more.ts": 'import type { M } from "@sluice/metrics";' },
    [
      /more\.ts: @sluice\/server must not depend/,
      /more\.ts: imports "@sluice\/metrics", which is not in the dependencies/,
    ],
  ],
  [
    "an import type expression",
    { "packages/codec/src/index.ts": 'export type S = import("@sluice/server").S;' },
    [
      /codec\/src\/index\.ts: @sluice\/codec must not depend on @sluice\/server/,
      /imports "@sluice\/server", which is not/,
    ],
  ],
  [
    "a missing reference",
    { "packages/codec/tsconfig.json": config() },
    [/^packages\/codec\/tsconfig\.json: references lack packages\/tensor, a dependency$/],
  ],
  [
    "a missing reference of the tests",
    { "packages/server/test/tsconfig.json": JSON.stringify({ references: [{ path: ".." }] }) },
    [/^packages\/server\/test\/tsconfig\.json: references lack packages\/metrics, a dependency$/],
  ],
  [
    "a Node builtin in a pure package",
    { "packages/tensor/src/a.ts": 'import { Buffer } from "node:buffer"; export const a = Buffer;' },
    [/^packages\/tensor\/src\/a\.ts: a pure package must not import the Node builtin "node:buffer"$/],
  ],
  [
    "a Node builtin without its prefix",
    { "packages/codec/src/c.ts": 'import fs = require("fs");' },
    [/codec\/src\/c\.ts: a pure package must not import the Node builtin "fs"/],
  ],
  [
    "Node's types in a pure package",
    { "packages/tensor/tsconfig.json": config([], { types: ["node"] }) },
    [/^packages\/tensor\/tsconfig\.json: a pure package needs "types": \[\], not \["node"\]$/],
  ],
  [
    "the DOM in a pure package",
    { "packages/transport/tsconfig.json": config([], { lib: ["ES2022", "DOM"] }) },
    [/^packages\/transport\/tsconfig\.json: a pure package needs a "lib" without the DOM/],
  ],
  [
    "defaults in a pure package, which are Node and the DOM",
    { "packages/transport/tsconfig.json": "{}" },
    [/needs "types": \[\], not the default/, /needs a "lib" without the DOM, not the default/],
  ],
  [
    "references in comments of a pure package",
    {
      "packages/tensor/src/a.ts":
        '/// <reference types="node" />\n/// <reference lib="dom" />\nexport const a = 1;',
    },
    [/must not reference the lib "dom"/, /must not reference the types "node"/],
  ],
  [
    "a cycle between files",
    {
      "packages/tensor/src/a.ts": 'import { b } from "./b.js"; export const a = () => b;',
      "packages/tensor/src/b.ts": 'export { c as b } from "./deep/c.js";',
      "packages/tensor/src/deep/c.ts": 'import { a } from "../a.js"; export const c = a;',
    },
    [/^packages\/tensor\/src\/a\.ts: cycle src\/a\.ts -> src\/b\.ts -> src\/deep\/c\.ts -> src\/a\.ts$/],
  ],
  [
    "a file that imports itself",
    { "packages/tensor/src/a.ts": 'export * from "./a.js";' },
    [/^packages\/tensor\/src\/a\.ts: cycle src\/a\.ts -> src\/a\.ts$/],
  ],
  [
    "a path into another package",
    { "packages/codec/src/index.ts": 'export * from "../../tensor/src/a.js";' },
    [/^packages\/codec\/src\/index\.ts: "\.\.\/\.\.\/tensor\/src\/a\.js" leaves the package$/],
  ],
  [
    "its own name",
    { "packages/codec/src/d.ts": 'import "@sluice/codec";' },
    [/^packages\/codec\/src\/d\.ts: imports its own package by name/],
  ],
  [
    "a package of the scope that does not exist",
    {
      "packages/server/package.json": manifest("server", [
        "@sluice/codec",
        "@sluice/proto",
        "pino",
        "@sluice/gone",
      ]),
      "packages/server/src/more.ts": 'import "@sluice/gone";',
    },
    [/^packages\/server\/src\/more\.ts: "@sluice\/gone" is no package of this workspace$/],
  ],
  [
    "a package without a rank",
    { "packages/extra/package.json": manifest("extra") },
    [/^packages\/extra\/package\.json: @sluice\/extra has no rank/],
  ],
  ["a broken package.json", { "packages/extra/package.json": "{" }, [/^packages\/extra\/package\.json: /]],
  [
    "a package that imports a service",
    {
      "packages/server/package.json": manifest("server", [
        "@sluice/codec",
        "@sluice/proto",
        "pino",
        "@sluice/demo",
      ]),
      "packages/server/src/more.ts": 'import "@sluice/demo";',
    },
    [/package\.json: .*rank 3 is above rank 2/, /more\.ts: .*rank 3 is above rank 2/],
  ],
];

for (const [name, changes, expected] of BROKEN) {
  t.test(`finds ${name}`, async (t) => {
    const offences = checkArrows(new Map([...sound(), ...Object.entries(changes)]));
    t.equal(offences.length, expected.length, offences.join("\n"));
    expected.forEach((pattern, i) => {
      t.match(offences[i], pattern);
    });
  });
}

t.test("words in comments and strings are no imports", async (t) => {
  const files = sound();
  files.set("packages/codec/src/index.ts", '// import "left-pad"\nexport const s = \'import "left-pad"\';');
  t.same(checkArrows(files), []);
});

t.test("findCycles reports each cycle that closes, and none in a diamond", async (t) => {
  const graph = (edges) => new Map(Object.entries(edges).map(([from, to]) => [from, new Set(to)]));
  t.same(findCycles(graph({ a: ["b", "c"], b: ["d"], c: ["d"], d: [] })), []);
  t.same(findCycles(graph({ a: ["b"], b: ["a", "c"], c: ["b"] })), [
    ["a", "b", "a"],
    ["b", "c", "b"],
  ]);
});

t.test("reads this workspace, sources and manifests alike", async (t) => {
  const files = readWorkspace(join(dirname(fileURLToPath(import.meta.url)), "../.."));
  for (const path of [
    "proto/package.json",
    "packages/tensor/src/index.ts",
    "packages/codec/tsconfig.json",
    "tsconfig.base.json",
  ]) {
    t.ok(files.has(path), path);
  }
  t.notOk([...files.keys()].some((path) => path.includes("node_modules") || path.includes("/dist/")));
});
