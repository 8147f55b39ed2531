import t from "tap";
import { formatBytes, formatTable } from "#cli/format-table.js";

t.test("columns are as wide as their contents, numbers stand to the right", async (t) => {
  const text = formatTable(
    [{ title: "name" }, { title: "n", align: "right" }],
    [
      ["a", "1"],
      ["longer", "200"],
    ],
  );
  t.equal(text, "name      n\na         1\nlonger  200\n");
});

t.test("bytes", async (t) => {
  t.same([0, 1023, 1024, 1536, 1024 ** 2, 5e6].map(formatBytes), [
    "0 B",
    "1023 B",
    "1.0 KiB",
    "1.5 KiB",
    "1.0 MiB",
    "4.8 MiB",
  ]);
});
