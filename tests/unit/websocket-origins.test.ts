import assert from "node:assert/strict";
import { test } from "node:test";
import { type AllowedOrigins, isAllowed, originList } from "../../src/access/origins.ts";

function origins(...list: readonly string[]): AllowedOrigins {
  const result = originList().parse(list);
  assert.ok("value" in result, JSON.stringify(result));
  return result.value as AllowedOrigins;
}

/** The problem of a value, and its hint. */
function problemOf(value: unknown): string {
  const result = originList().parse(value);
  assert.ok("problem" in result && result.problem !== undefined, JSON.stringify(value));
  return `${result.problem} | ${result.hint}`;
}

test("a whole origin matches only itself", () => {
  const known = origins("https://example.com", "http://localhost:5173");
  for (const origin of ["https://example.com", "http://localhost:5173"]) {
    assert.equal(isAllowed(origin, known), true, origin);
  }
  const others = [
    ...["http://example.com", "https://example.com:8443", "https://example.com:443", ""],
    ...["https://app.example.com", "https://example.com.evil.com", "https://evilexample.com"],
    ...["https://EXAMPLE.com", "https://example.com/", "https://example.com, https://example.com"],
    ...["null", "http://localhost", "http://localhost:51730", "https://localhost:5173", "*"],
  ];
  for (const origin of others) assert.equal(isAllowed(origin, known), false, origin);
});

test("a star matches every host below a domain, over https and on its default port", () => {
  const known = origins("*.example.com");
  for (const host of ["app", "a.b", "xn--bcher-kva", "my_app", "1"]) {
    assert.equal(isAllowed(`https://${host}.example.com`, known), true, host);
  }
  const others = [
    ...["https://example.com", "https://evilexample.com", "https://.example.com"],
    ...["https://app.example.com.evil.com", "https://evil.com/.example.com"],
    ...["https://evil.com?.example.com", "https://evil.com#.example.com"],
    ...["https://evil.com@app.example.com", "https://evil.com:80.example.com"],
    ...["http://app.example.com", "https://app.example.com:8443", "https://app.example.com:443"],
    ...["https://app.example.com.", "https://app..example.com", "https://app.exampleXcom"],
    ...["wss://app.example.com", "https://app.example.com\n", "\nhttps://app.example.com", "null"],
  ];
  for (const origin of others) assert.equal(isAllowed(origin, known), false, origin);
});

test("a request without an origin does not come from a browser", () => {
  assert.equal(isAllowed(undefined, origins("https://example.com")), true);
  assert.equal(isAllowed(undefined, origins("*.example.com")), true);
});

test("origins are read as browsers write them", () => {
  const cases: ReadonlyArray<readonly [string, string]> = [
    ["HTTPS://Example.COM", "https://example.com"],
    ["https://example.com:443", "https://example.com"],
    ["https://example.com/", "https://example.com"],
    ["http://example.com:80", "http://example.com"],
    ["https://bücher.example", "https://xn--bcher-kva.example"],
    ["https://[::1]:8443", "https://[::1]:8443"],
    ["tauri://localhost", "tauri://localhost"],
    ["chrome-extension://abcdefgh", "chrome-extension://abcdefgh"],
    ["*.Bücher.example", "https://shop.xn--bcher-kva.example"],
  ];
  for (const [written, sent] of cases) {
    assert.equal(isAllowed(sent, origins(written)), true, written);
  }
});

test("a text that is not an origin is a problem", () => {
  const examples = 'such as "https://example.com" or "*.example.com"';
  const cases: ReadonlyArray<readonly [unknown, string]> = [
    ["https://example.com", 'must be a list of origins | write ["https://example.com"]'],
    [[1], `must be a list of origins | ${examples}`],
    [null, `must be a list of origins | ${examples}`],
    [[], `must be a list of origins with at least one | ${examples}`],
    [[""], `has "", which is not an origin | ${examples}`],
    [
      ["example.com"],
      'has "example.com", which is not an origin | write it as "https://example.com"',
    ],
    [["localhost:5173"], `has "localhost:5173", which is not an origin | ${examples}`],
    [["https://"], `has "https://", which is not an origin | ${examples}`],
    [["*"], `has "*", which has a * that is not in front of a domain | ${examples}`],
    [
      ["https://*.example.com"],
      `has "https://*.example.com", which has a * that is not in front of a domain | ${examples}`,
    ],
    [
      ["https://example.com/chat"],
      'has "https://example.com/chat", which is more than an origin | ' +
      'write it as "https://example.com"',
    ],
    [
      ["https://me@example.com"],
      'has "https://me@example.com", which is more than an origin | ' +
      'write it as "https://example.com"',
    ],
    [
      ["https://example.com/?"],
      'has "https://example.com/?", which is more than an origin | ' +
      'write it as "https://example.com"',
    ],
    [
      ["null"],
      'has "null", which pages without an origin send | any page can do that',
    ],
  ];
  for (const [written, problem] of cases) assert.equal(problemOf(written), problem);
  for (
    const written of ["*.", "*.com", "*.example.com:8443", "*.example.com/x", "*. example.com"]
  ) {
    const problem = `has "${written}", which has no domain after the "*."`;
    assert.equal(problemOf([written]), `${problem} | it means https on the default port`);
  }
});
