import { createRandom } from "@sluice/simnet";
import t from "tap";
import { createMinHeap } from "#src/min-heap.js";

t.test("takes items in order, also between pushes and after a retain", async (t) => {
  const random = createRandom(11);
  const heap = createMinHeap<number>((a, b) => a < b);
  let mirror: number[] = [];
  for (let round = 0; round < 3000; round++) {
    const action = random.next();
    if (action < 0.6) {
      const item = Math.floor(random.next() * 500);
      heap.push(item);
      mirror.push(item);
    } else if (action < 0.99) {
      mirror.sort((a, b) => a - b);
      const expected = mirror.shift();
      if (heap.peek() !== expected) t.fail(`seed 11, round ${round}: peek ${heap.peek()} is not ${expected}`);
      if (heap.pop() !== expected) t.fail(`seed 11, round ${round}: pop is not ${expected}`);
    } else {
      heap.retain((item) => item % 3 !== 0);
      mirror = mirror.filter((item) => item % 3 !== 0);
    }
    if (heap.size !== mirror.length)
      t.fail(`seed 11, round ${round}: size ${heap.size} is not ${mirror.length}`);
  }
  mirror.sort((a, b) => a - b);
  t.ok(mirror.length > 50, "something is left to compare");
  t.same(
    mirror.map(() => heap.pop()),
    mirror,
  );
  t.equal(heap.pop(), undefined);
  t.equal(heap.peek(), undefined);
});
