import t from "tap";
import { createIdentities, type Identity, type Occupant } from "#src/identities.js";

const token = new Uint8Array(1);

function createGuests(identity: Identity) {
  const identities = createIdentities(() => identity);
  const gone: string[] = [];
  const guest = (name: string, silentMs: number): Occupant => ({
    silentMs: () => silentMs,
    giveWay: () => void gone.push(name),
  });
  return { identities, gone, guest };
}

t.test("of an identity that has no session left, the one that is silent for longest gives way", async (t) => {
  const { identities, gone, guest } = createGuests({ name: "a", maxSessions: 3 });
  const longest = guest("longest", 9_000);
  for (const session of [guest("quiet", 5_000), longest, guest("heard", 3_999)])
    t.ok(identities.enter(token, session));
  const fourth = guest("fourth", 0);
  t.ok(identities.enter(token, fourth));
  t.same(gone, ["longest"]);
  identities.leave({ name: "a" }, longest);
  t.ok(identities.enter(token, guest("fifth", 0)));
  t.same(gone, ["longest", "quiet"], "it had left already");
  t.equal(identities.enter(token, guest("sixth", 0)), undefined, "all are heard");
  t.same(gone, ["longest", "quiet"]);
  identities.leave({ name: "a" }, fourth);
  t.ok(identities.enter(token, guest("seventh", 0)));
});

t.test("without a bound of its own nobody gives way", async (t) => {
  const { identities, gone, guest } = createGuests({ name: "a" });
  for (let i = 0; i < 100; i++) t.ok(identities.enter(token, guest(`${i}`, 1e6)));
  t.same(gone, []);
});
