import t from "tap";
import { createDueQueue } from "#src/due-queue.js";

t.test("what is due leaves at once and in order; drain hands over the rest", async (t) => {
  let nowMs = 0;
  const out: string[] = [];
  const queue = createDueQueue<string>(
    () => nowMs,
    (item) => out.push(item),
  );
  queue.add("late", 1e6);
  queue.add("b", 2);
  queue.add("b2", 2);
  queue.add("a", 1);
  t.same(out, [], "nothing is due");
  nowMs = 3;
  queue.add("c", 3);
  t.same(out, ["a", "b", "b2", "c"], "what became due leaves in the order of its times");
  queue.add("later", 2e6);
  queue.drain();
  t.same(out.slice(4), ["late", "later"]);
});
