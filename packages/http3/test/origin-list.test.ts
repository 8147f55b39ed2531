import { createOriginList } from "@sluice/http3";
import t from "tap";

t.test("origins are compared whole, and wildcards stand for hosts below one", async (t) => {
  const allows = createOriginList([
    ...["https://app.example", "HTTPS://Other.Example:443", "http://127.0.0.1:8080", "http://[::1]:8080"],
    ...["https://*.example.org", "https://*.lab.example:8443"],
  ]);
  for (const origin of [
    ...["https://app.example", "https://other.example", "http://127.0.0.1:8080", "http://[::1]:8080"],
    ...["https://a.example.org", "https://a.b-1.example.org", "https://x.lab.example:8443"],
  ]) {
    t.ok(allows(origin), origin);
  }
  for (const origin of [
    ...[
      "http://app.example",
      "https://app.example:444",
      "https://app.example.evil",
      "https://evil-app.example",
    ],
    ...["https://example.org", "https://evilexample.org", "http://a.example.org", "https://.example.org"],
    ...["https://a.example.org:444", "https://x.lab.example", "https://evil.example/.example.org"],
    ...[
      "https://evil.example#.example.org",
      "https://a@.example.org",
      "https://app.example, https://a.example.org",
    ],
    ...["null", "", "*"],
  ]) {
    t.notOk(allows(origin), origin);
  }
});

t.test("every origin, none, and pages without one", async (t) => {
  t.ok(createOriginList(["*"])("https://any.example"));
  t.ok(createOriginList(["*"])("null"));
  t.ok(createOriginList(["null"])("null"));
  t.notOk(createOriginList(["null"])("https://any.example"));
  t.notOk(createOriginList([])("https://any.example"), "an empty list allows no page");
});

t.test("what is no origin is said", async (t) => {
  for (const pattern of [
    ...["app.example", "https://", "https://app.example/", "https://app.example/page", "https://*"],
    ...[
      "https://a.*.example",
      "https://*example.org",
      "https://u@app.example",
      "https://app.example:99999",
      "",
    ],
  ]) {
    t.throws(() => createOriginList([pattern]), {
      name: "RangeError",
      message: `origin "${pattern}": expected`,
    });
  }
});
