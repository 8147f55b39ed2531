// Numbers of a seeded source, as faults need them.

/** @param {{ next(): number }} random uniform in 0 up to 1 */
export function createDraws(random) {
  const between = (least, most) => least + (most - least) * random.next();
  return {
    between,
    whole: (least, most) => Math.floor(between(least, most + 1)),
    pick: (choices) => choices[Math.floor(random.next() * choices.length)],
    chance: (share) => random.next() < share,
    /** In any order. */
    shuffle(values) {
      const shuffled = [...values];
      for (let i = shuffled.length - 1; i > 0; i--) {
        const k = Math.floor(random.next() * (i + 1));
        [shuffled[i], shuffled[k]] = [shuffled[k], shuffled[i]];
      }
      return shuffled;
    },
  };
}
