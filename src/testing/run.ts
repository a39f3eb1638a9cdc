/** Runs one `test` block, in a runtime of its own. */
import { ConnectorError, reasonOf } from "../base/errors.ts";
import { messageOf } from "../base/shown.ts";
import type { Model } from "../model/mod.ts";
import { assembleRuntime } from "../runtime/mod.ts";
import type { RuntimeCore } from "../runtime/core.ts";
import type { TestModel, TestPlace, TestStep } from "../model/test.ts";
import { Activity, StuckError } from "./activity.ts";
import type { ManualClock } from "./clock.ts";
import type { Coverage } from "./coverage.ts";
import { verify } from "./expect.ts";
import { show } from "./match.ts";
import { Mocks } from "./mocks.ts";
import { Observer } from "./observe.ts";
import { Players } from "./players.ts";
import { Randomness } from "./randomness.ts";
import { type FlowFailure, Records } from "./records.ts";
import type { TestFailure, TestResult } from "./report.ts";
import { withSchedules } from "./schedules.ts";
import { Senders } from "./senders.ts";

/** If more timers than this are due at one moment, time would never go on. */
const MAX_AT_ONCE = 10_000;

/** The longest time in milliseconds that a service of a test with `real = true` may work. */
const REAL_PATIENCE = 30_000;

/** What a test is run with. */
export interface TestOptions {
  /** Is reset. The expressions of the model must use it, too. */
  readonly clock: ManualClock;
  /** Is reset. The expressions of the model must use it, too. */
  readonly randomness?: Randomness;
  /** Records what the test goes through. */
  readonly coverage?: Coverage | undefined;
  /** Takes note of what answers for the services of the configuration. */
  readonly players?: Players;
  /** Returns what has been logged since the last call; nothing by default. */
  readonly takeLog?: () => readonly string[];
}

/** Runs a test of a model. */
export async function runTest(
  model: Model,
  test: TestModel,
  options: TestOptions,
): Promise<TestResult> {
  const { clock, randomness = new Randomness(), players = new Players() } = options;
  const { coverage, takeLog = () => [] } = options;
  clock.reset();
  // What an earlier run has written may still be there, with the keys that it made.
  randomness.reset(test.real ? crypto.getRandomValues(new Int32Array(1))[0] : 0);
  takeLog();
  const run = new TestRun(model, test, { clock, randomness, coverage, players });
  await run.perform();
  const log = takeLog();
  await run.end();
  return { name: test.name, place: test.place, failures: run.failures, log };
}

class TestRun {
  readonly #test: TestModel;
  readonly #model: Model;
  readonly #clock: ManualClock;
  readonly #randomness: Randomness;
  readonly #activity: Activity;
  readonly #records: Records;
  readonly #mocks: Mocks;
  readonly #observer: Observer;
  readonly #failures: TestFailure[] = [];
  #runtime: RuntimeCore | undefined;

  constructor(
    model: Model,
    test: TestModel,
    { clock, randomness, coverage, players }:
      & TestOptions
      & Required<Pick<TestOptions, "randomness" | "players">>,
  ) {
    this.#test = test;
    this.#activity = test.real ? new Activity(REAL_PATIENCE) : new Activity();
    this.#randomness = randomness;
    this.#clock = clock;
    this.#records = new Records(test.place, () => this.#activity.touch());
    this.#mocks = new Mocks(clock);
    const scheduled = withSchedules(coverage === undefined ? model : coverage.watch(model));
    this.#observer = new Observer(scheduled, {
      records: this.#records,
      activity: this.#activity,
      mocks: this.#mocks,
      real: test.real,
      coverage,
      players,
    });
    const connectors = [...scheduled.connectors].map(([name, connector]) =>
      [name, this.#observer.observe(connector)] as const
    );
    // No client reconnects after a test, so that the closes need no spread.
    const service = { ...scheduled.service, shutdownSpread: 0 };
    // A test has one instance.
    const alone = { ...scheduled, backplane: undefined };
    this.#model = { ...alone, service, connectors: new Map(connectors) };
  }

  /** Sorted by place. */
  get failures(): readonly TestFailure[] {
    return [...this.#failures].sort(byPlace);
  }

  /** Starts a runtime, runs the steps, and collects the failures. */
  async perform(): Promise<void> {
    try {
      const runtime = await assembleRuntime(this.#model, {
        clock: this.#clock,
        random: () => 0.5,
        idsOf: (owner) => this.#randomness.ids(owner),
        traces: false,
      });
      this.#runtime = runtime;
      await runtime.start();
      this.#requireReal(runtime);
      await runtime.consume();
      await this.#play(runtime);
      this.#judge();
    } catch (error) {
      this.#fail(error);
    }
  }

  /**
   * Waits for no service that is away, as a server would.
   *
   * @throws {Error} One that the test needs does not answer.
   */
  #requireReal(runtime: RuntimeCore): void {
    for (const [name, reason] of Object.entries(runtime.health())) {
      if (this.#observer.connectors.get(name)?.isReal) throw new Error(reason);
    }
  }

  /** Closes the runtime as a server does, and moves the clock for what waits for it. */
  async end(): Promise<void> {
    this.#records.end();
    let closing = true;
    const closed = this.#runtime?.close()
      .catch((error) => this.#fail(error))
      .finally(() => {
        closing = false;
        this.#activity.touch();
      });
    if (closed === undefined) return;
    try {
      while (closing) {
        await this.#activity.settled();
        this.#clock.runNext();
      }
    } catch (error) {
      this.#fail(error);
    }
    await closed;
  }

  async #play(runtime: RuntimeCore): Promise<void> {
    const senders = new Senders(this.#test.clients, {
      records: this.#records,
      activity: this.#activity,
      observer: this.#observer,
      constants: this.#model.constants,
      health: () => runtime.health(),
      now: () => this.#clock.now(),
    });
    const { clients, steps } = this.#test;
    const first = steps.findIndex(({ kind }) => kind !== "mock");
    const [mocks, others] = first < 0 ? [steps, []] : [steps.slice(0, first), steps.slice(first)];
    // Mocks come first, since flows may need them when clients connect.
    for (const step of mocks) await this.#step(step, senders);
    for (const client of clients) {
      if (!client.connects) continue;
      this.#records.place = client.place;
      senders.connect(client.name);
      await this.#activity.settled();
      senders.checkReady(client.name);
    }
    this.#records.forget();
    // The steps need all clients.
    if (this.#records.mistakes.size > 0) return;
    senders.begin();
    for (const step of others) {
      this.#records.place = step.place;
      await this.#step(step, senders);
    }
  }

  async #step(step: TestStep, senders: Senders): Promise<void> {
    switch (step.kind) {
      case "mock":
        return this.#mocks.add(step);
      case "expect": {
        const failure = verify(step, this.#records);
        if (failure !== undefined) this.#failures.push(failure);
        return;
      }
      case "advance":
        return await this.#advance(step.by);
      default:
        senders.send(step);
        await this.#activity.settled();
    }
  }

  /** Moves the clock, from one timer to the next. */
  async #advance(by: number): Promise<void> {
    const end = this.#clock.now() + by;
    let [now, atOnce] = [this.#clock.now(), 0];
    while (this.#clock.isDue(end)) {
      this.#clock.runNext();
      await this.#activity.settledTick();
      atOnce = this.#clock.now() === now ? atOnce + 1 : 0;
      now = this.#clock.now();
      if (atOnce > MAX_AT_ONCE) {
        throw new StuckError("timers are due again and again at the same time");
      }
    }
    this.#clock.moveTo(end);
    await this.#activity.settled();
  }

  /** Adds the failures that no step has expected. */
  #judge(): void {
    for (const [message, place] of this.#records.mistakes) this.#failures.push({ place, message });
    for (const failure of this.#records.failures) {
      if (!failure.expected && !lacksMock(failure.error.cause)) {
        this.#failures.push({ place: failure.place, message: describe(failure) });
      }
    }
    if (this.#failures.length > 0) return;
    for (const { subject, place } of this.#mocks.unused) {
      this.#failures.push({ place, message: `mock "${subject}" was never used` });
    }
  }

  #fail(error: unknown): void {
    const message = messageOf(error);
    this.#failures.push({ place: this.#records.place, message });
  }
}

/** Whether it is among the mistakes of the test already. */
function lacksMock(cause: unknown): boolean {
  return cause instanceof ConnectorError && cause.code === "needs-mock";
}

function describe({ flow, error }: FlowFailure): string {
  const reason = error.cause === undefined ? error.message : reasonOf(error.cause);
  const details = error.details === undefined ? "" : ` ${show(error.details)}`;
  return `flow "${flow}" failed: ${error.code}: ${reason}${details}`;
}

function byPlace(a: { readonly place: TestPlace }, b: { readonly place: TestPlace }): number {
  return a.place.file === b.place.file ? a.place.line - b.place.line : 0;
}
