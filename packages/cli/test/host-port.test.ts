import t from "tap";
import { formatHostPort } from "#cli/format-host-port.js";
import { parseHostPort } from "#cli/host-port.js";
import { parseCount } from "#cli/parse-count.js";

t.test("addresses are read and written alike", async (t) => {
  for (const text of ["127.0.0.1:4433", "[::1]:4433", "localhost:0", "[fe80::1]:65535"]) {
    t.equal(formatHostPort(parseHostPort(text, "--listen")), text);
  }
});

for (const text of [
  "",
  "4433",
  ":4433",
  "localhost",
  "localhost:65536",
  "localhost:-1",
  "::1:4433",
  "[::1]",
  "a b:1",
]) {
  t.test(`refuses "${text}"`, async (t) => {
    t.throws(() => parseHostPort(text, "--listen"), { name: "RangeError", message: /^--listen: / });
  });
}

t.test("counts", async (t) => {
  t.equal(parseCount("30", "--fps"), 30);
  for (const text of ["", "0", "-1", "1.5", "1e3", "ten", "99999999999999999"]) {
    t.throws(() => parseCount(text, "--fps"), { message: /^--fps: expected a whole number/ }, text);
  }
  t.throws(() => parseCount("11", "--fps", 1, 10), { message: /from 1 to 10/ });
});
