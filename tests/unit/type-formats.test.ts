/** The formats of strings. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Format } from "../../src/type/formats.ts";
import { fieldOf, violations } from "./type-support.ts";

const formats: Readonly<
  Record<
    Format,
    { readonly message: string; readonly good: readonly string[]; readonly bad: readonly string[] }
  >
> = {
  email: {
    message: "must be an email address",
    good: ["a@b.co", "ada.lovelace+x@mail.example.org", "o'brien@example.com", "A_1@EXAMPLE.COM"],
    bad: [
      "",
      "a",
      "a@b",
      "@b.co",
      "a@",
      "a@b@c.co",
      "a b@c.co",
      "a@b.co ",
      "a@-b.co",
      "a@b..co",
      "a@.co",
      "a@b.co.",
      ".a@b.co",
      "a.@b.co",
      "a..b@c.co",
      "a.b@c",
      "a@b.co\n",
      `${"a".repeat(250)}@b.co`,
    ],
  },
  url: {
    message: "must be a URL such as https://example.com/",
    good: [
      "https://example.com",
      "HTTP://example.com/a?b=c#d",
      "ws://localhost:8080/ws",
      "wss://[::1]/",
      "https://user:pass@example.com/ä",
      `https://user@${"a.".repeat(100)}de:8080/${"a".repeat(10_000)}`,
    ],
    bad: [
      "",
      "example.com",
      "//example.com",
      "/path",
      "javascript:alert(1)",
      "ftp://example.com",
      "mailto:a@b.co",
      "https://",
      "https:///a",
      "https://?a",
      "https:example.com",
      "https:\\\\example.com",
      "https://a b.co",
      `https://${"a.".repeat(127)}de`,
      `https://u@a${"\u0301\u0316".repeat(100_000)}/`,
      "https://example.com/a b",
      " https://example.com",
      "https://example.com\n",
      "https://example.com:99999",
      "https://[::1",
    ],
  },
  uuid: {
    message: "must be a UUID",
    good: [
      "00000000-0000-0000-0000-000000000000",
      "f81d4fae-7dec-11d0-a765-00a0c91e6bf6",
      "0190B8C6-7F4A-7CC3-98C4-DC0C0C07398F",
    ],
    bad: [
      "",
      "f81d4fae7dec11d0a76500a0c91e6bf6",
      "{f81d4fae-7dec-11d0-a765-00a0c91e6bf6}",
      "g81d4fae-7dec-11d0-a765-00a0c91e6bf6",
      "f81d4fae-7dec-11d0-a765-00a0c91e6bf6\n",
    ],
  },
  date: {
    message: "must be a date such as 2026-01-31",
    good: ["2026-01-31", "2024-02-29", "2000-02-29", "0001-12-31", "2026-04-30"],
    bad: [
      "",
      "2026-02-30",
      "2026-02-29",
      "1900-02-29",
      "2026-04-31",
      "2026-00-10",
      "2026-13-10",
      "2026-01-00",
      "2026-01-32",
      "26-01-31",
      "2026-1-31",
      "2026/01/31",
      "31.01.2026",
      "2026-01-31T00:00:00Z",
      "2026-01-31\n",
      "+002026-01-31",
    ],
  },
  datetime: {
    message: "must be a time with its zone such as 2026-01-31T12:00:00Z",
    good: [
      "2026-01-31T12:00:00Z",
      "2026-01-31t12:00:00z",
      "2026-01-31T00:00:00.000Z",
      "2026-01-31T23:59:59.123456789+05:30",
      "2024-02-29T12:00:00-08:00",
    ],
    bad: [
      "",
      "2026-01-31",
      "2026-01-31T12:00:00",
      "2026-01-31 12:00:00Z",
      "2026-01-31T12:00Z",
      "2026-01-31T24:00:00Z",
      "2026-01-31T12:60:00Z",
      "2026-01-31T12:00:60Z",
      "2026-01-31T12:00:00+24:00",
      "2026-01-31T12:00:00+0100",
      "2026-01-31T12:00:00.Z",
      "2026-01-31T12:00:00.1234567890Z",
      "2026-02-30T12:00:00Z",
      "2026-01-31T12:00:00Z\n",
    ],
  },
  ip: {
    message: "must be an IP address",
    good: [
      "127.0.0.1",
      "255.255.255.255",
      "::",
      "::1",
      "2001:db8::8a2e:370:7334",
      "::ffff:1.2.3.4",
    ],
    bad: [
      "",
      "256.0.0.1",
      "1.2.3",
      "1.2.3.4.5",
      "01.2.3.4",
      "1.2.3.4/24",
      ":::",
      "2001:db8::1::2",
      "12345::",
      "[::1]",
      "localhost",
      "127.0.0.1\n",
      `fe80::1%${"a".repeat(60)}`,
    ],
  },
  phone: {
    message: "must be a phone number such as +49 30 901820",
    good: [
      "+49 30 901820",
      "+4930901820",
      "030/901820",
      "(030) 901-820",
      "+1 (555) 010-9999",
      "+1.555.010.9999",
      "5550109",
      "+123456789012345",
    ],
    bad: [
      "",
      "555010",
      "+1234567890123456",
      "+0 30 901820",
      "++49 30 901820",
      "49+30901820",
      "call me",
      "+49 30 90182o",
      "+49  30 901820",
      "+49 30 901820 ",
      "-49 30 901820",
      "(030 901820",
      "030) 901820",
      "() 30901820",
      "+49 30 901820\n",
      "٠٣٠٩٠١٨٢٠",
      `${"(1)".repeat(15)}`,
    ],
  },
};

for (const [format, { message, good, bad }] of Object.entries(formats)) {
  test(`type formats: ${format}`, async () => {
    const type = await fieldOf(`string({ format = "${format}" })`);
    for (const x of good) assert.deepEqual(violations(type, { x }), [], JSON.stringify(x));
    for (const x of bad) {
      assert.deepEqual(violations(type, { x }), [`x: ${message}`], JSON.stringify(x));
    }
  });
}

test("type formats: half a megabyte is refused at once, whatever it is", async () => {
  const pieces = ["a", "a.", "1", "1.", "1:", "(1)", "1-", " ", "https://", "@", "a@a.", "é", "\n"];
  for (const [format, { message }] of Object.entries(formats)) {
    const type = await fieldOf(`string({ format = "${format}" })`);
    for (const piece of pieces) {
      // Quadratic work on one of them would take minutes.
      const long = piece.repeat(500_000 / piece.length);
      for (const x of [`${long} !`, `https://${long} `, `a@${long} `, `::${long} `]) {
        assert.deepEqual(violations(type, { x }), [`x: ${message}`]);
      }
    }
  }
});
