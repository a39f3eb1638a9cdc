/** The parts that metrics are counted with: histograms, frames, ends of connections, processes. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { Histogram } from "../../src/base/histogram.ts";
import { Arrivals } from "../../src/connectors/websocket/arrivals.ts";
import { Counters } from "../../src/connectors/websocket/counters.ts";
import { Departures } from "../../src/connectors/websocket/departures.ts";
import { Traffic } from "../../src/connectors/websocket/traffic.ts";
import type { MetricsData } from "../../src/contract/metrics.ts";
import { ProcessTotals } from "../../src/metrics/totals.ts";
import { batchOf } from "../../src/connectors/websocket/batch.ts";
import { Frame } from "../../src/transport/frame.ts";
import { Scrape } from "../support/metrics.ts";

test("a histogram counts a value in the first bucket that holds it", () => {
  const histogram = new Histogram([1, 2, 5]);
  for (const value of [0.5, 1, 1.5, 5, 6]) histogram.add(value);
  assert.deepEqual([histogram.counts, histogram.sum], [[2, 1, 1, 1], 14]);
});

test("frames are counted by type where something serves it", () => {
  const arrivals = new Arrivals((type) => type === "say" || type === "ping");
  for (const type of ["say", "ping", "say", undefined]) arrivals.add(type);
  for (let n = 0; n < 1000; n++) arrivals.add(`invented-${n}`);
  assert.deepEqual(arrivals.all(), { say: 2, ping: 1, invalid: 1, other: 1000 });
});

test("ends of connections are counted by who closed them, and a client's code has a name", () => {
  const counters = new Counters();
  const departures = new Departures(counters);
  departures.add({ code: 1013, reason: "slow consumer" }, { code: 1006, reason: "" });
  departures.add(undefined, { code: 1009, reason: "" });
  departures.add(undefined, { code: 1000, reason: "" });
  for (let code = 3000; code < 5000; code++) departures.add(undefined, { code, reason: "" });
  assert.deepEqual(departures.byServer, { 1009: 1, 1013: 1 });
  assert.deepEqual(departures.byClient, { 1000: 1, other: 2000 });
  assert.equal(counters.all().closed_size, 1);
});

test("traffic counts each recipient of a batch, and asks only sockets that held something", () => {
  const traffic = new Traffic();
  const batch = batchOf([new Frame('{"a":1}'), new Frame('{"b":2}')]);
  traffic.add(batch, 3);
  assert.deepEqual([traffic.frames, traffic.bytes], [6, 3 * batch.size]);
  traffic.add(batch, -1);
  assert.deepEqual([traffic.frames, traffic.bytes], [4, 2 * batch.size]);
  let asked = 0;
  const socket = {
    waits: 100,
    get bufferedAmount() {
      asked++;
      return this.waits;
    },
  };
  assert.deepEqual([traffic.queued, asked], [0, 0]);
  traffic.waits(socket);
  assert.deepEqual([traffic.queued, asked], [100, 1]);
  socket.waits = 0;
  assert.deepEqual([traffic.queued, traffic.queued, asked], [0, 0, 2]);
  traffic.waits(socket);
  socket.waits = 50;
  traffic.forget(socket);
  assert.equal(traffic.queued, 0);
});

/** A process that has counted so much. */
function process(count: number, level: number, info: string): MetricsData {
  const help = "Help.";
  const one = (value: number, more = {}) => [{ value, labels: { a: "x", ...more } }];
  return [
    { name: "c_total", help, type: "counter", aggregator: "sum", values: one(count) },
    { name: "g", help, type: "gauge", aggregator: "sum", values: one(level) },
    { name: "up", help, type: "gauge", aggregator: "min", values: one(level > 1 ? 1 : 0) },
    { name: "info", help, type: "gauge", aggregator: "max", values: one(1, { info }) },
    {
      name: "h",
      help,
      type: "histogram",
      aggregator: "sum",
      values: [
        { metricName: "h_bucket", value: count, labels: { le: 1 } },
        { metricName: "h_bucket", value: count, labels: { le: "+Inf" } },
        { metricName: "h_sum", value: count / 2, labels: {} },
        { metricName: "h_count", value: count, labels: {} },
      ],
    },
    { name: "none", help, type: "counter", aggregator: "sum", values: [] },
  ];
}

test("the metrics of processes are added up, and counters never fall", async () => {
  const totals = new ProcessTotals();
  const read = async (processes: Readonly<Record<string, MetricsData | undefined>>) => {
    const { series } = new Scrape(await totals.text(new Map(Object.entries(processes))));
    return Object.fromEntries(series);
  };
  const [one, two] = [process(10, 1, "v1"), process(5, 2, "v1")];
  assert.deepEqual(await read({ one, two }), {
    'c_total{a="x"}': 15,
    'g{a="x"}': 3,
    'up{a="x"}': 0,
    'info{a="x",info="v1"}': 1,
    'h_bucket{le="1"}': 15,
    'h_bucket{le="+Inf"}': 15,
    "h_sum": 7.5,
    "h_count": 15,
  });
  // One that does not answer counts with what it told last.
  assert.equal((await read({ one: undefined, two }))['c_total{a="x"}'], 15);
  // One that has ended leaves its counters, and nothing else.
  const after = await Promise.all([
    read({ two }),
    read({ two }),
    read({ two, three: process(1, 7, "v2") }),
  ]);
  assert.deepEqual(after.map((series) => series['c_total{a="x"}']), [15, 15, 16]);
  assert.deepEqual(after.map((series) => series["h_count"]), [15, 15, 16]);
  assert.deepEqual(after.map((series) => series['g{a="x"}']), [2, 2, 9]);
  assert.deepEqual(after.map((series) => series['up{a="x"}']), [1, 1, 1]);
  assert.equal((await read({ three: process(2, 7, "v2") }))['c_total{a="x"}'], 17);
});
