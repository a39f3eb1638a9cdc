/** Rules about `write`. */
import { ConnectorError } from "../../../base/errors.ts";
import { must, needs, pause, Seen, show, textOf, until, within } from "../failure.ts";
import { VALUES } from "../options.ts";
import { healthy, requires, type Rule, withInstances, withStarted } from "../rule.ts";
import type { Instance, Subject } from "../subject.ts";

const applies: Rule["applies"] = ({ destination }) => destination !== undefined;

/** How many writes are in flight at once. */
const MANY = 20;

const write: Rule = {
  name: "write",
  title: "write() resolves, and what was written has arrived",
  applies,
  async check(subject) {
    await withStarted(subject, (instance) => writeOnce(subject, instance));
  },
};

async function writeOnce(subject: Subject, instance: Instance): Promise<void> {
  const { payload, arrived } = await watchArrivals(subject);
  await within("write()", () => instance.write(payload), subject.patience);
  const found = await arrived(1);
  must(found.length <= 1, `one payload was written, and ${found.length} have arrived`);
}

const writeError: Rule = {
  name: "write-error",
  title: "a write that fails rejects with an error that names the connector",
  applies,
  async check(subject) {
    const { refused } = subject.options.destination ?? {};
    const payload = payloadOf(subject);
    if (refused !== undefined) {
      await withStarted(subject, async (instance) => {
        const error = await within(
          "write()",
          () => errorOf(instance, refused.payload),
          subject.patience,
        );
        must(error !== undefined, "a payload that the service refuses was written");
        checkError(error.value, instance.name);
      });
    }
    // Before the start and after the end it may do nothing, but a failure must be a good one.
    const unused = await needs("start", () => subject.create());
    const early = errorOf(unused, payload);
    await needs("close", () => unused.shut());
    check(await within("write() before start()", () => early, subject.patience), unused);
    const closed = await withStarted(subject, (instance) => Promise.resolve(instance));
    const late = () => errorOf(closed, payload);
    check(await within("write() after close()", late, subject.patience), closed);
  },
};

function check(error: { readonly value: unknown } | undefined, { name }: Instance): void {
  if (error !== undefined) checkError(error.value, name);
}

/** The error of a write; undefined if there was none. */
export async function errorOf(
  instance: Instance,
  payload: unknown,
): Promise<{ readonly value: unknown } | undefined> {
  try {
    await instance.write(payload);
    return undefined;
  } catch (value) {
    return { value };
  }
}

/** Whoever reads the log must learn which connector failed, and why. */
export function checkError(error: unknown, name: string): void {
  if (error instanceof Seen) throw error;
  must(error instanceof Error, `it threw ${textOf(error)}, which is not an Error`);
  const named = error instanceof ConnectorError
    ? error.connector === name
    : error.message.split(/[^\w-]+/).includes(name);
  must(named, `the error does not name the connector "${name}": ${textOf(error)}`);
  must(
    error.message.trim() !== "" && !/undefined|\[object/.test(error.message),
    `the message of the error is not a sentence: ${show(error.message)}`,
  );
}

const payload: Rule = {
  name: "payload",
  title: "write() does not change the payload, which other destinations get as well",
  applies,
  async check(subject) {
    await withStarted(subject, async (instance) => {
      const payload = payloadOf(subject);
      const given = payloadOf(subject);
      const before = show(given);
      await needs("write", () => within("write()", () => instance.write(given), subject.patience));
      must(equal(given, payload), `the payload was ${before}, and is ${show(given)} now`);
    });
  },
};

const writesInFlight: Rule = {
  name: "writes-in-flight",
  title: "a close leaves no write without an end, and loses none that has resolved",
  applies,
  async check(subject) {
    await withInstances(subject, async (make) => {
      const instance = await make();
      requires(subject, "health");
      requires(subject, "write");
      await needs("start", () => instance.start());
      await needs("health", () => healthy(instance, subject.patience));
      await needs("write", () => writeOnce(subject, instance));
      const { payload, arrived } = await watchArrivals(subject);
      const writes = Array.from({ length: MANY }, () => instance.write(payload));
      const settled = Promise.allSettled(writes);
      await needs("close", () => instance.shut());
      const ends = await within(`one of ${MANY} writes`, () => settled, subject.patience);
      for (const end of ends) if (end.status === "rejected") checkError(end.reason, instance.name);
      let found = await arrived(ends.filter(({ status }) => status === "fulfilled").length);
      // One that was rejected may still be on its way. The next rule must not get it.
      for (let before = -1; found.length < MANY && before < found.length;) {
        before = found.length;
        await pause(100);
        found = await arrived(before);
      }
    });
  },
};

const writtenValues: Rule = {
  name: "written-values",
  title: "every value arrives as it was sent",
  applies: ({ destination }) => destination?.received !== undefined,
  async check(subject) {
    requires(subject, "write");
    await withStarted(subject, async (instance) => {
      await needs("write", () => writeOnce(subject, instance));
      for (const value of subject.options.destination?.values ?? VALUES) {
        const { arrived } = await watchArrivals(subject);
        try {
          await within("write()", () => instance.write(structuredClone(value)), subject.patience);
        } catch (cause) {
          throw new Seen(`the value ${show(value)}: ${textOf(cause)}`, { cause });
        }
        const [found] = await arrived(1);
        must(equal(found, value), `${show(value)} arrived as ${show(found)}`);
      }
    });
  },
};

/** What arrives while a rule is checked. */
export interface Arrivals {
  readonly payload: unknown;
  /** Waits until as many payloads have arrived since `watchArrivals`. Returns all that have. */
  arrived(count: number): Promise<readonly unknown[]>;
}

/** The payloads that arrive from now on, if the author tells them. */
export async function watchArrivals(subject: Subject): Promise<Arrivals> {
  const payload = payloadOf(subject);
  const before = (await receivedBy(subject))?.length;
  if (before === undefined) return { payload, arrived: () => Promise.resolve([]) };
  return {
    payload,
    async arrived(count) {
      let found: readonly unknown[] = [];
      const enough = async (): Promise<boolean> => {
        found = (await receivedBy(subject))?.slice(before) ?? [];
        return found.length >= count;
      };
      await until(
        enough,
        () => `${count} were written, and ${found.length} have arrived`,
        subject.patience,
      );
      await pause(20);
      await enough();
      return found;
    },
  };
}

/** What has arrived at the service until now, if the author tells. */
export async function receivedBy(
  { options: { destination }, patience }: Subject,
): Promise<readonly unknown[] | undefined> {
  return await within("received()", () => destination?.received?.(), patience);
}

/** A copy, since a connector that changes it must not change the next one. */
export function payloadOf({ options: { destination } }: Subject): unknown {
  return structuredClone(destination?.payload ?? { text: "hello" });
}

/** Whether two plain values are equal, whatever the order of their fields. */
export function equal(a: unknown, b: unknown): boolean {
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) {
    return Object.is(a, b);
  }
  if (Array.isArray(a) !== Array.isArray(b)) return false;
  const [left, right] = [a, b] as readonly Readonly<Record<string, unknown>>[];
  const names = Object.keys(left);
  return names.length === Object.keys(right).length &&
    names.every((name) => Object.hasOwn(right, name) && equal(left[name], right[name]));
}

/** The rules about writing. */
export const destinationRules: readonly Rule[] = [
  write,
  writeError,
  payload,
  writesInFlight,
  writtenValues,
];
