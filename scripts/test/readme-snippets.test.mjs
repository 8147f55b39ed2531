import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import t from "tap";
import { extractSnippets, listDocuments, readSnippets, runSnippets } from "../readme-snippets.mjs";

const root = join(dirname(fileURLToPath(import.meta.url)), "../..");
const fence = "```";

t.test("finds marked blocks only, with their line and server", async (t) => {
  const text = [
    "# Title",
    `${fence}ts`,
    "not.marked();",
    fence,
    "<!-- run: first -->",
    `${fence}ts`,
    "const a = 1;",
    "",
    "console.log(a);",
    fence,
    "<!-- run: second with: serve --model sink -->",
    "",
    `${fence}ts`,
    "await 1;",
    fence,
  ].join("\n");
  t.same(extractSnippets("README.md", text), [
    {
      document: "README.md",
      name: "first",
      line: 7,
      server: undefined,
      code: "const a = 1;\n\nconsole.log(a);",
    },
    {
      document: "README.md",
      name: "second",
      line: 14,
      server: ["serve", "--model", "sink"],
      code: "await 1;",
    },
  ]);
});

for (const [what, text, message] of [
  ["a mark without a block", "<!-- run: a -->\ntext", "README.md:1: no ```ts block follows the mark of a"],
  ["a block in another language", `<!-- run: a -->\n${fence}sh\nls\n${fence}`, /no ```ts block/],
  ["a block without an end", `<!-- run: a -->\n${fence}ts\n1;`, /does not end/],
  ["a malformed mark", "<!-- run a -->", "README.md:1: malformed mark"],
  [
    "a name used twice",
    `<!-- run: a -->\n${fence}ts\n${fence}\n<!-- run: a -->\n${fence}ts\n${fence}`,
    /twice/,
  ],
]) {
  t.test(`refuses ${what}`, async (t) => {
    t.throws(() => extractSnippets("README.md", text), { message });
  });
}

const snippet = (name, code, server) => ({ document: "README.md", name, line: 1, server, code });
const scratch = join(root, "packages/cli/dist/snippets-under-test");

t.test("a good example passes and its output is kept", async (t) => {
  const code =
    'import { createTensor } from "@sluice/tensor";\nconsole.log(createTensor("uint8", [3]).data.length);';
  const [result] = await runSnippets([snippet("good", code)], scratch);
  t.match(result, { ok: true, output: "3\n" });
});

t.test("an example of wrong types fails before it runs", async (t) => {
  const results = await runSnippets(
    [snippet("types", "const a: number = 'text';\nconsole.log(a);")],
    scratch,
  );
  t.equal(results.length, 1);
  t.match(results[0], { ok: false, output: /README-types\.mts\(1,7\): error TS2322/ });
});

t.test("an example that throws fails", async (t) => {
  const results = await runSnippets(
    [snippet("throws", 'throw new Error("on purpose");'), snippet("fine", "")],
    scratch,
  );
  t.match(results[0], { ok: false, output: /on purpose/ });
  t.match(results[1], { ok: true });
});

t.test("an example whose server does not start fails with what it said", async (t) => {
  const [result] = await runSnippets([snippet("server", "", ["no-such-command"])], scratch);
  t.match(result, { ok: false, output: /did not say where it listens(?:.|\n)*no-such-command/ });
});

t.test("the documents are found", async (t) => {
  t.ok(listDocuments().includes("CONTRIBUTING.md"));
});

t.test("every marked example of the documents works", async (t) => {
  const snippets = readSnippets();
  const results = await runSnippets(snippets);
  t.ok(results.length >= Math.min(1, snippets.length));
  for (const { name, ok, output } of results) t.ok(ok, name, { output });
});
