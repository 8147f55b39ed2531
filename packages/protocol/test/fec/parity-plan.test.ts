import t from "tap";
import { createLossModel } from "#src/fec/loss-model.js";
import { type ParityGroup, planParity } from "#src/fec/parity-plan.js";

const modelOf = (share: number, meanRun: number) => createLossModel({ share, meanRun });
const equal = (count: number) => new Array<number>(count).fill(1);
const symbolsOf = (groups: readonly ParityGroup[]) => groups.map(({ symbols }) => symbols);
const placesOf = (groups: readonly ParityGroup[]) =>
  groups.flatMap(({ members }) => members).sort((a, b) => a - b);

t.test("a group gets the fewest symbols that leave it undecoded one time in a hundred", async (t) => {
  for (const [share, meanRun, count] of [
    [0.01, 1, 86],
    [0.02, 1, 20],
    [0.05, 4, 20],
    [0.05, 1, 5],
  ] as const) {
    const loss = modelOf(share, meanRun);
    const groups = planParity({ importances: equal(count), maxSymbols: 100, loss, isXor: false });
    t.equal(groups.length, 1);
    const [symbols] = symbolsOf(groups) as [number];
    t.ok(loss.tail(count + symbols, symbols) <= 0.01, `${symbols} for ${count} at ${share} in ${meanRun}`);
    t.ok(loss.tail(count + symbols - 1, symbols - 1) > 0.01, "one less is too few");
  }
});

t.test("the budget is kept, more loss takes more of it, and no loss takes none", async (t) => {
  const symbols = [0, 0.001, 0.01, 0.03, 0.05].map((share) => {
    const groups = planParity({
      ...{ importances: equal(86), maxSymbols: 12, loss: modelOf(share, 4), isXor: false },
    });
    return symbolsOf(groups).reduce((sum, each) => sum + each, 0);
  });
  t.equal(symbols[0], 0);
  t.equal(symbols.at(-1), 12);
  for (let i = 1; i < symbols.length; i++) t.ok(symbols[i]! >= symbols[i - 1]!, `${symbols}`);
  t.same(planParity({ importances: equal(86), maxSymbols: 0, loss: modelOf(0.05, 4), isXor: false }), []);
  t.same(planParity({ importances: [], maxSymbols: 9, loss: modelOf(0.05, 4), isXor: false }), []);
  t.same(
    planParity({ importances: equal(86), maxSymbols: 5, loss: modelOf(0.3, 4), isXor: false }),
    [],
    "symbols that hardly ever help are not sent",
  );
});

t.test("more datagrams than a group holds are cut into even groups that share the budget", async (t) => {
  const groups = planParity({
    ...{ importances: equal(300), maxSymbols: 45, loss: modelOf(0.05, 4), isXor: false },
  });
  t.same(
    groups.map(({ members }) => members.length),
    [100, 100, 100],
  );
  t.same(
    placesOf(groups),
    equal(300).map((_, place) => place),
  );
  const symbols = symbolsOf(groups);
  t.equal(
    symbols.reduce((sum, each) => sum + each, 0),
    45,
  );
  t.ok(Math.min(...symbols) >= 14 && Math.max(...symbols) <= 16, `${symbols}`);
});

t.test("what is worth more is protected more where the budget is short", async (t) => {
  const importances = equal(80).map((_, place) => (place % 4 === 0 ? 1 : 0.05));
  const loss = modelOf(0.1, 2);
  const groups = planParity({ importances, maxSymbols: 8, loss, isXor: false });
  const rates = groups.map(({ members, symbols }) => ({
    rate: symbols / members.length,
    worth: members.reduce((sum, place) => sum + importances[place]!, 0) / members.length,
  }));
  const [best] = rates.sort((a, b) => b.worth - a.worth);
  t.ok(best!.worth > 0.9, "the important ones are a group");
  t.ok(best!.rate > 0.3, `and get ${best!.rate} of their number`);
  const lost = (plan: readonly ParityGroup[]) =>
    importances.reduce((sum, each) => sum + each, 0) * loss.excess(1, 0) -
    plan.reduce((saved, { members, symbols }) => {
      const worth = members.reduce((sum, place) => sum + importances[place]!, 0);
      return saved + worth * (loss.excess(1, 0) - loss.excess(members.length + symbols, symbols));
    }, 0);
  const even = [{ members: equal(80).map((_, place) => place), symbols: 8 }];
  t.ok(lost(groups) < 0.5 * lost(even), `${lost(groups)} of importance lost, evenly ${lost(even)}`);
});

t.test("XOR has one symbol for each group, and as many interleaved groups as runs are long", async (t) => {
  const groups = planParity({ importances: equal(20), maxSymbols: 6, loss: modelOf(0.02, 3), isXor: true });
  t.ok(groups.length > 1 && groups.length <= 6);
  t.ok(groups.every(({ symbols }) => symbols === 1));
  t.same(
    placesOf(groups),
    equal(20).map((_, place) => place),
  );
  t.same(groups[0]!.members.slice(0, 2), [0, groups.length]);
  t.same(
    planParity({ importances: equal(300), maxSymbols: 2, loss: modelOf(0.02, 3), isXor: true }),
    [],
    "300 datagrams need three groups",
  );
});
