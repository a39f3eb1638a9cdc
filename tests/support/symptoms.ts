/**
 * Plays a fault against a service, and waits until metrics, log and health tell what
 * `docs/monitoring/faults/` says of it.
 */
import assert from "node:assert/strict";
import { configure, type LogRecord, reset } from "@logtape/logtape";
import type { Answers, Faults, Line, Moves, Symptoms } from "../../docs/monitoring/symptom.ts";
import type { ConnectorType } from "../../src/contract/definition.ts";
import { Scrape } from "./metrics.ts";
import { Proxy } from "./proxy.ts";
import { rawRequest } from "./raw-http.ts";
import { type Service, serviceTest } from "./services.ts";
import { hosts, type RunningHost } from "./socket-hosts.ts";
import { pause } from "./socket-probe.ts";
import { test } from "node:test";

/** How long it may take until everything has told, in milliseconds. */
const PATIENCE = 20_000;

/** Brings a fault about. */
export interface Cause {
  /** What of the machine it needs. */
  readonly needs?: Service;
  /** Serves a configuration, lets the fault happen and ends it. */
  play(bench: Bench): Promise<void>;
}

/** A line of the log. */
export interface LogLine {
  readonly level: string;
  /** Its category without `weir`: the name of a connector, or `flow`. Empty for the service itself. */
  readonly from: string;
  readonly text: string;
}

/** A service that an operator watches. */
export interface Watched {
  readonly adminPort: number;
  readonly log: readonly LogLine[];
}

/** Registers a test for each fault. Each fault has a cause, and each cause a fault. */
export async function symptomTests<Names extends string>(
  faults: Faults<Names>,
  causes: Readonly<Record<Names, Cause>>,
): Promise<void> {
  for (const name of Object.keys(causes) as Names[]) {
    const { needs, play } = causes[name];
    const run = async () => {
      const bench = new Bench(faults[name]);
      try {
        await bench.logged(() => play(bench));
        bench.assertTold();
      } finally {
        await bench.close();
      }
    };
    if (needs === undefined) test(`symptoms: ${name}`, run);
    else await serviceTest(needs, `symptoms: ${name}`, run);
  }
}

/** What one fault is played with. */
export class Bench {
  readonly log: LogLine[] = [];
  readonly #symptoms: Symptoms;
  readonly #ends: (() => unknown)[] = [];
  #watched: Watched | undefined;
  /** The metrics before the fault. */
  #before: Scrape | undefined;
  #told = 0;

  constructor(symptoms: Symptoms) {
    this.#symptoms = symptoms;
  }

  /** Serves a configuration in this process. `service` are more lines of its `service` block. */
  async serve(
    config: string,
    connectors: Readonly<Record<string, ConnectorType>> = {},
    service = "",
  ): Promise<RunningHost> {
    const running = await this.start(config, connectors, `admin_port = 0\n${service}`);
    this.watch({ adminPort: running.adminPort ?? 0, log: this.log });
    return running;
  }

  /** Serves another configuration, which nobody watches. */
  async start(
    config: string,
    connectors: Readonly<Record<string, ConnectorType>> = {},
    service = "",
  ): Promise<RunningHost> {
    const running = await hosts[0].start(`service {\n${service}\n}\n${config}`, { connectors });
    let closed: Promise<void> | undefined;
    const close = () => closed ??= running.close();
    this.onEnd(close);
    return { ...running, close };
  }

  /** Watches a service that a test has started. */
  watch(watched: Watched): void {
    this.#watched = watched;
  }

  /** A proxy before a port of this machine. */
  async proxy(port: number): Promise<Proxy> {
    const proxy = await Proxy.open(port);
    this.onEnd(() => proxy.close());
    return proxy;
  }

  /** Lets the fault happen, and waits until it has been told. */
  async happens(act: () => unknown): Promise<void> {
    const { metrics, log, health } = this.#symptoms;
    await this.#tells(act, metrics, log, health);
    this.#told++;
  }

  /** Ends the fault, and waits until that has been told. */
  async ends(act: () => unknown): Promise<void> {
    const { over } = this.#symptoms;
    assert.ok(over, "nothing is said of its end");
    await this.#tells(act, over.metrics, over.log, [200, 200, 200]);
    this.#told++;
  }

  /** Called at the end, the last one first. */
  onEnd(end: () => unknown): void {
    this.#ends.push(end);
  }

  /** Keeps the log while `act` runs. */
  async logged(act: () => Promise<void>): Promise<void> {
    const sink = ({ category, level, message }: LogRecord): void => {
      const from = category.slice(1).join(".");
      const text = message.map((part) => part instanceof Error ? part.message : String(part));
      this.log.push({ level, from, text: text.join("") });
    };
    await configure({
      reset: true,
      sinks: { sink },
      loggers: [
        { category: ["weir"], lowestLevel: "info", sinks: ["sink"] },
        { category: ["logtape", "meta"], lowestLevel: "error", sinks: [] },
      ],
    });
    try {
      await act();
    } finally {
      await reset();
    }
  }

  /** Fails where a cause has not played what is said of it. */
  assertTold(): void {
    assert.equal(this.#told, this.#symptoms.over === undefined ? 1 : 2);
  }

  /** Ends everything, whatever has failed. */
  async close(): Promise<void> {
    for (const end of this.#ends.splice(0).reverse()) await end();
  }

  async #tells(
    act: () => unknown,
    metrics: Moves,
    line: Line | undefined,
    health: Answers,
  ): Promise<void> {
    const watched = this.#watched;
    assert.ok(watched, "a service is served first");
    const before = this.#before ??= await scrape(watched);
    // A service that starts in trouble has said so already.
    const known = this.#told === 0 ? 0 : watched.log.length;
    await act();
    const look = async (): Promise<readonly string[]> => [
      ...unmoved(metrics, before, await scrape(watched)),
      ...unsaid(line, watched.log.slice(known), metrics),
      ...unanswered(health, await answers(watched)),
    ];
    const deadline = performance.now() + PATIENCE;
    for (let missing = await look(); missing.length > 0; missing = await look()) {
      if (performance.now() > deadline) {
        const said = watched.log.map(({ level, from, text }) => `${level} ${from}: ${text}`);
        assert.fail([...missing, "the log:", ...said].join("\n"));
      }
      await pause(20);
    }
  }
}

async function scrape({ adminPort }: Watched): Promise<Scrape> {
  return new Scrape((await rawRequest(adminPort, { path: "/metrics" })).body);
}

async function answers({ adminPort }: Watched): Promise<Answers> {
  const paths = ["live", "ready", "serving"].map((name) => `/health/${name}`);
  const [live, ready, serving] = await Promise.all(
    paths.map(async (path) => (await rawRequest(adminPort, { path })).status),
  );
  return [live, ready, serving];
}

/** The metrics that have not moved yet. */
function unmoved(moves: Moves, before: Scrape, now: Scrape): readonly string[] {
  return Object.entries(moves).flatMap(([series, move]) => {
    const value = valueOf(series, now);
    assert.notEqual(value, undefined, `there is no ${series}`);
    const was = valueOf(series, before) ?? 0;
    const moved = move === "grows" ? Number(value) > was : value === move;
    return moved ? [] : [`${series} was ${was} and is ${value}, not ${move}`];
  });
}

/** `NAME{LABELS} above BOUND` are the values of a histogram that are above a bound. */
function valueOf(series: string, { series: all }: Scrape): number | undefined {
  const [name, bound] = series.split(" above ");
  if (bound === undefined) return all.get(name);
  return Number(all.get(`${name}_count`)) - Number(all.get(`${name}_bucket{le="${bound}"}`));
}

/** The line that is not there yet. It names what the metrics are about, unless the service says it. */
function unsaid(
  line: Line | undefined,
  log: readonly LogLine[],
  moves: Moves,
): readonly string[] {
  if (line === undefined) return [];
  const [level, words] = line;
  const parts = words.split(/\{\w+\}/).map((part) =>
    part.replaceAll(/[.*+?^${}()|[\]\\]/g, "\\$&")
  );
  const pattern = new RegExp(`^${parts.join(".*")}`, "s");
  const names = [...Object.keys(moves).join().matchAll(/(?:connector|flow)="([^"]+)"/g)];
  const found = log.some((one) =>
    one.level === level && pattern.test(one.text) &&
    (names.length === 0 || one.from === "" ||
      names.some(([, name]) => `${one.from} ${one.text}`.includes(name)))
  );
  return found ? [] : [`no line ${level} ${words}`];
}

function unanswered(expected: Answers, found: Answers): readonly string[] {
  return String(expected) === String(found) ? [] : [`health is ${found}, not ${expected}`];
}
