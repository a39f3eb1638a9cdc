/** Rules about the life of a connector: create, start, health, counts, probe, close. */
import { ManualClock } from "../../clock.ts";
import { must, needs, pause, Seen, show, textOf, within } from "../failure.ts";
import { endsAlone } from "../process.ts";
import { consume, healthy, requires, type Rule, withInstances, withStarted } from "../rule.ts";
import type { Instance, Subject } from "../subject.ts";
import { receivedBy } from "./destination.ts";

const create: Rule = {
  name: "create",
  title: "create() opens nothing: a process that only creates the connector ends",
  async check(subject) {
    await needs("configuration", () => subject.load());
    const instance = await subject.create();
    await Promise.allSettled([instance.shut()]);
    await endsAlone("create", subject.options, subject.patience);
  },
};

const start: Rule = {
  name: "start",
  title: "start() and consume() resolve while the service is there",
  async check(subject) {
    const instance = await needs("create", () => subject.create());
    try {
      await instance.start();
      await instance.consume();
    } finally {
      await Promise.allSettled([instance.shut()]);
    }
  },
};

const prepare: Rule = {
  name: "prepare",
  title: "after prepare(), the connector can be started, or closed without a start",
  async check(subject) {
    await withInstances(subject, async (make) => {
      const [started, unused] = [await make(), await make()];
      if (started.connector.prepare === undefined) return;
      for (const { connector } of [started, unused]) {
        await within("prepare()", () => connector.prepare?.(), subject.patience);
      }
      await needs("start", () => started.start());
      await needs("health", () => healthy(started, subject.patience));
      await needs("close", () => started.shut());
      try {
        await unused.shut();
      } catch (cause) {
        throw new Seen(`it was closed without a start, and ${textOf(cause)}`, { cause });
      }
    });
  },
};

const health: Rule = {
  name: "health",
  title: "health() returns undefined while the connector can serve",
  async check(subject) {
    await withInstances(subject, async (make) => {
      const instance = await make();
      checkHealth(instance);
      await needs("start", () => instance.start());
      await healthy(instance, subject.patience);
      await needs("start", () => instance.consume());
      checkHealth(instance);
      await healthy(instance, subject.patience);
    });
  },
};

/** A reason is a text that a person can read. */
function checkHealth({ connector }: Instance): void {
  const reason: unknown = connector.health?.();
  must(
    reason === undefined || (typeof reason === "string" && reason.trim() !== ""),
    `health() returned ${show(reason)}, which is neither undefined nor a reason`,
  );
}

const counts: Rule = {
  name: "counts",
  title: "counts() returns numbers that are finite and not negative, under names in snake_case",
  async check(subject) {
    await withInstances(subject, async (make) => {
      const instance = await make();
      if (instance.connector.counts === undefined) return;
      checkCounts(instance);
      await needs("start", () => instance.start());
      checkCounts(instance);
    });
  },
};

function checkCounts({ connector }: Instance): void {
  const counts: Readonly<Record<string, unknown>> = connector.counts?.() ?? {};
  for (const [name, value] of Object.entries(counts)) {
    must(/^[a-z][a-z0-9_]*$/.test(name), `counts() has the name ${show(name)}`);
    must(
      typeof value === "number" && Number.isFinite(value) && value >= 0,
      `counts() has ${name} = ${typeof value === "number" ? value : show(value)}`,
    );
  }
}

const probe: Rule = {
  name: "probe",
  title: "probe() says what it found, and leaves nothing open",
  async check(subject) {
    const instance = await needs("create", () => subject.create());
    const { connector } = instance;
    if (connector.probe === undefined) return;
    const before = (await receivedBy(subject))?.length;
    const found: unknown = await instance.probe();
    must(
      typeof found === "string" && found.trim() !== "",
      `probe() returned ${show(found)} instead of a few words`,
    );
    const after = (await receivedBy(subject))?.length;
    must(before === after, `probe() sent something: the service has received ${after} payloads`);
    await Promise.allSettled([instance.shut()]);
    requires(subject, "create");
    await needs("create", () => endsAlone("probe", subject.options, subject.patience));
  },
};

const close: Rule = {
  name: "close",
  title: "the connector can be closed before it is started, while it works, and again",
  async check(subject) {
    await withInstances(subject, async (make) => {
      await (await make()).shut();
      const started = await make();
      await needs("start", () => started.start());
      await started.shut();
      const working = await make();
      await needs("start", () => working.start());
      await needs("start", () => working.consume());
      await working.shut();
      try {
        await working.shut();
      } catch (cause) {
        throw new Seen(`it was closed for a second time, and ${textOf(cause)}`, { cause });
      }
    });
  },
};

const end: Rule = {
  name: "end",
  title: "a process ends by itself when the connector is closed",
  async check(subject) {
    requires(subject, "create");
    await needs("close", () => withStarted(subject, () => Promise.resolve()));
    await needs("create", () => endsAlone("close", subject.options, subject.patience));
  },
};

const instances: Rule = {
  name: "instances",
  title: "two connectors in one process do not share state",
  async check(subject) {
    await withStarted(subject, async (one) => {
      await withStarted(subject, async (other) => {
        await consume(subject, one);
        await consume(subject, other);
        if (subject.options.destination !== undefined) await checkCounted(subject, one, other);
      });
      // The other one is closed now.
      await seen("health", () => healthy(one, subject.patience));
      if (subject.options.destination !== undefined) {
        await seen("write", () => one.write(payloadOf(subject)));
      }
    });
  },
};

/** A write to one must not change the counts of the other, which may change by themselves. */
async function checkCounted(subject: Subject, one: Instance, other: Instance): Promise<void> {
  const counts = (): string => show(other.connector.counts?.());
  for (let attempt = 0; attempt < 3; attempt++) {
    const idle = counts();
    await pause(20);
    const before = counts();
    await write(subject, one);
    if (idle !== before || before === counts()) return;
  }
  throw new Seen(`a write to one changed the counts of the other to ${counts()}`);
}

async function seen(what: string, act: () => Promise<unknown>): Promise<void> {
  try {
    await act();
  } catch (cause) {
    throw new Seen(`after the other one was closed, ${what}() failed: ${textOf(cause)}`, { cause });
  }
}

function payloadOf({ options: { destination } }: Subject): unknown {
  return destination?.payload ?? { text: "hello" };
}

async function write(subject: Subject, instance: Instance): Promise<void> {
  await needs(
    "write",
    () => within("write()", () => instance.write(payloadOf(subject)), subject.patience),
  );
}

const testMode: Rule = {
  name: "test-mode",
  title: "with the options of test(), the connector starts and closes without the service",
  async check(subject) {
    const { definition, connector } = await needs("configuration", () => subject.load());
    const { test } = definition;
    if (test === undefined) return;
    let options: unknown;
    try {
      options = definition.test?.(connector.options);
    } catch (cause) {
      throw new Seen(`test() threw ${textOf(cause)}`, { cause });
    }
    must(typeof options === "object" && options !== null, `test() returned ${show(options)}`);
    await subject.outage.stop();
    try {
      await withInstances(subject, async (make) => {
        const instance = await make({ options, clock: new ManualClock() });
        await needs("start", () => instance.start());
        await needs("start", () => instance.consume());
        await needs("health", () => {
          const reason = instance.connector.health?.();
          must(reason === undefined, `health() returned ${show(reason)} in a test`);
        });
      });
    } finally {
      await subject.outage.start();
    }
  },
};

/** The rules about the life of a connector. */
export const lifecycleRules: readonly Rule[] = [
  create,
  start,
  prepare,
  health,
  counts,
  close,
  end,
  instances,
  probe,
  testMode,
];
