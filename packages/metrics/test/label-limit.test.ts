import t from "tap";
import { createLabelLimit } from "#src/label-limit.js";

t.test("passes a bounded number of sound values on", async (t) => {
  const limit = createLabelLimit(3, ["none"]);
  t.same(["late", "queue-full", "third", "late", "none"].map(limit), [
    "late",
    "queue-full",
    "other",
    "late",
    "none",
  ]);
});

t.test("values that do not look like a reason take no place", async (t) => {
  const limit = createLabelLimit(1);
  for (const value of ["", "Ups", 'a"b', "a b", "x".repeat(49), "\n", "-a"])
    t.equal(limit(value), "other", value);
  t.equal(limit("late"), "late");
});
