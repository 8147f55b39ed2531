import { randomBytes } from "node:crypto";
import t from "tap";
import { RETRY_TOKEN_MAX_AGE_MS } from "#src/quiche/retry-token.js";
import { RetryTokens } from "#src/quiche/retry-tokens.js";

const address = "192.0.2.1:5000";
const originalId = Buffer.from("8394c8f03e515708", "hex");
const HOUR_MS = 3_600_000;

/** Keys that tell their number. */
function createKeys() {
  let made = 0;
  return Object.assign((length: number) => Buffer.alloc(length, ++made), { made: () => made });
}

t.test("a token holds for its address, its two ids, ten seconds and one connection", async (t) => {
  const tokens = new RetryTokens(createKeys(), 0);
  const retryId = Buffer.alloc(16, 1);
  const token = tokens.issue(address, originalId, retryId, 1000);
  const open = (nowMs: number, from = address, id = retryId, bytes: Uint8Array = token) =>
    tokens.open(from, bytes, id, nowMs);
  t.equal(Buffer.compare(open(1000)?.originalId ?? Buffer.alloc(0), originalId), 0);
  t.ok(open(1000 + RETRY_TOKEN_MAX_AGE_MS));
  t.equal(open(1001 + RETRY_TOKEN_MAX_AGE_MS), undefined, "expired");
  t.equal(open(999), undefined, "from the future");
  t.equal(open(2000, "192.0.2.1:5001"), undefined, "another port");
  t.equal(open(2000, "192.0.2.2:5000"), undefined, "another address");
  t.equal(open(2000, address, Buffer.alloc(16, 2)), undefined, "another id");
  for (let bit = 0; bit < token.byteLength * 8; bit++) {
    const mutated = Uint8Array.from(token);
    mutated[bit >> 3] = (mutated[bit >> 3] ?? 0) ^ (1 << (bit & 7));
    if (open(2000, address, retryId, mutated) !== undefined) t.fail(`bit ${bit} does not count`);
  }
  t.ok(open(2000), "a client that was told to wait may come again");
  tokens.spend(retryId, 2000);
  t.equal(open(2001), undefined, "replayed");
});

t.test("keys change every hour, and the old one holds for the tokens that are on their way", async (t) => {
  const keys = createKeys();
  const tokens = new RetryTokens(keys, 0);
  const ids = [1, 2, 3].map((n) => Buffer.alloc(16, n));
  const [first, second, third] = ids as [Buffer, Buffer, Buffer];
  const old = tokens.issue(address, originalId, first, HOUR_MS - 1);
  t.equal(keys.made(), 1);
  const young = tokens.issue(address, originalId, second, HOUR_MS + 1);
  t.equal(keys.made(), 2);
  t.ok(tokens.open(address, old, first, HOUR_MS + 5000));
  t.ok(tokens.open(address, young, second, HOUR_MS + 5000));
  tokens.issue(address, originalId, third, HOUR_MS + 1 + RETRY_TOKEN_MAX_AGE_MS + 1);
  t.equal(
    tokens.open(address, old, first, HOUR_MS + 5000),
    undefined,
    "the old key is gone once all its tokens have expired",
  );
  t.ok(tokens.open(address, young, second, HOUR_MS + 5000));
  tokens.issue(address, originalId, third, 5 * HOUR_MS);
  t.equal(keys.made(), 3, "a quiet server does not make up for the hours");
});

t.test("used tokens are remembered as long as they could be replayed, and in bounds", async (t) => {
  const tokens = new RetryTokens(randomBytes, 0);
  for (let i = 0; i < 20_000; i++) tokens.spend(randomBytes(16), 1000);
  t.equal(tokens.used, 8192);
  tokens.spend(randomBytes(16), 1000 + RETRY_TOKEN_MAX_AGE_MS + 1);
  t.equal(tokens.used, 1);
});
