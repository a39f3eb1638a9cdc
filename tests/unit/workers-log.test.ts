/** The log of a worker on its way to the log of its supervisor. */
import { configure, getLogger, type LogRecord, reset } from "@logtape/logtape";
import assert from "node:assert/strict";
import { test } from "node:test";
import { ConnectorError } from "../../src/base/errors.ts";
import { logRelayed, lowestLevel, type RelayedRecord, relayLog } from "../../src/workers/log.ts";

/** Lets a worker log, and gives what its supervisor's sinks get; both are this process, in turn. */
async function relay(act: () => void): Promise<LogRecord[]> {
  const sent: string[] = [];
  await relayLog("debug", 2, (record) => void sent.push(JSON.stringify(record)));
  act();
  await reset();
  const records: LogRecord[] = [];
  await configure({
    sinks: { keep: (record) => void records.push(record) },
    loggers: [
      { category: "weir", lowestLevel: "trace", sinks: ["keep"] },
      { category: ["logtape", "meta"], lowestLevel: "error", sinks: ["keep"] },
    ],
  });
  for (const record of sent) logRelayed(JSON.parse(record) as RelayedRecord);
  await reset();
  return records;
}

/** One record's properties, after the way. */
async function relayOne(properties: Record<string, unknown>): Promise<Record<string, unknown>> {
  const records = await relay(() => getLogger(["weir", "ws"]).info("{a}", properties));
  assert.equal(records.length, 1, JSON.stringify(records.map(({ properties }) => properties)));
  return records[0].properties;
}

test("a record arrives with category, level, message and properties, and says who it is of", async () => {
  const records = await relay(() => {
    getLogger(["weir", "ws"]).warn("{count} clients of {name}", { count: 2, name: "a", list: [1] });
    getLogger(["weir"]).fatal("the end");
    getLogger(["weir", "ws"]).trace("below the level");
    getLogger(["other"]).error("somebody else's");
  });
  assert.deepEqual(
    records.map(({ category, level, message, properties }) => [
      ...[category, level, message.join("|")],
      properties,
    ]),
    [
      [
        ...[["weir", "ws"], "warning", "|2| clients of |a|"],
        { count: 2, name: "a", list: [1], worker: 2 },
      ],
      [["weir"], "fatal", "the end", { worker: 2 }],
    ],
  );
});

test("an error arrives as one, with its code and causes", async () => {
  const root = Object.assign(new RangeError("the root"), { code: "EROOT", secret: "not sent" });
  const error = new ConnectorError("db", "is busy", { cause: root, permanent: true });
  const { a, b } = await relayOne({ a: error, b: root });
  assert.ok(a instanceof ConnectorError && a.cause instanceof Error && b instanceof Error);
  assert.deepEqual([a.name, a.message, a.stack], ["ConnectorError", error.message, error.stack]);
  assert.deepEqual([a.connector, a.permanent], ["db", true]);
  for (const cause of [a.cause, b]) {
    const { name, message, stack } = cause;
    assert.deepEqual([name, message, stack], ["RangeError", "the root", root.stack]);
    assert.equal((cause as { readonly code?: string }).code, "EROOT");
    assert.equal("secret" in cause, false);
  }
});

test("what JSON has no word for is told as text, and never ends the worker", async () => {
  const circular: Record<string, unknown> = { name: "ring" };
  circular.self = circular;
  const twice = { once: 1 };
  const own = new Error("of itself");
  own.cause = own;
  const { a, b, c, d, e, f, g } = await relayOne({
    a: 12345678901234567890n,
    b: circular,
    c: [twice, twice],
    d: own,
    e: { deep: [1n, Symbol("s"), new TypeError("inside"), undefined] },
    f: new Date(0),
    g: new Uint8Array([1, 2]),
  });
  assert.equal(a, "12345678901234567890");
  assert.deepEqual(b, { name: "ring", self: "[circular]" });
  assert.deepEqual(c, [twice, twice]);
  assert.ok(d instanceof Error);
  assert.deepEqual([d.message, d.cause], ["of itself", "Error: of itself"]);
  assert.deepEqual(e, { deep: ["1", "Symbol(s)", "TypeError: inside", null] });
  assert.equal(f, "1970-01-01T00:00:00.000Z");
  assert.deepEqual(g, { 0: 1, 1: 2 });
});

test("text of any kind arrives as it is, and data that looks like an error is data", async () => {
  const properties = {
    a: "\u2028\u2029\0\ud800 \udc00\u{1f600}\r\n",
    b: { $error: null, error: { name: "no error" } },
    ["__proto__"]: "a name like any other",
    c: JSON.parse('{"__proto__":{"polluted":true}}'),
  };
  const got = await relayOne(properties);
  assert.deepEqual([got.a, got.b], [properties.a, properties.b]);
  assert.equal(Object.getOwnPropertyDescriptor(got.c, "__proto__")?.value.polluted, true);
  assert.equal(({} as { readonly polluted?: boolean }).polluted, undefined);
});

test("a log that is slower than what is logged leaves records out, and says how many", async () => {
  const texts: string[] = [];
  let behind = false;
  const keep = ({ message, properties }: RelayedRecord): void => {
    const { count } = properties as { readonly count?: { readonly value: number } };
    texts.push(message.replace("{count}", String(count?.value)));
  };
  await relayLog("info", 1, keep, () => behind);
  const logger = getLogger(["weir"]);
  for (const n of [1, 2, 3, 4, 5]) {
    behind = n === 2 || n === 3;
    logger.info(`number ${n}`);
  }
  await reset();
  assert.deepEqual(texts, [
    "number 1",
    "dropped 2 log records: the log cannot keep up",
    "number 4",
    "number 5",
  ]);
});

test("who reads no log is sent none", async () => {
  await reset();
  assert.equal(lowestLevel(), undefined);
  await configure({
    sinks: { none: () => {} },
    loggers: [
      { category: "weir", lowestLevel: "warning", sinks: ["none"] },
      { category: ["logtape", "meta"], lowestLevel: "error", sinks: [] },
    ],
  });
  assert.equal(lowestLevel(), "warning");
  await reset();
});
