/** Rules about the messages that are kept. */
import { must, pause, show, until, within } from "../../failure.ts";
import type { BackplaneHistory, Keep } from "../../../../contract/backplane.ts";
import type { BackplaneInstance } from "../instance.ts";
import { type BackplaneRule, type BackplaneSubject, requires } from "../subject.ts";

/** The longest time of a call, in milliseconds: the two seconds of the contract, and some. */
const SETTLES = 2_500;
/** A life that no test outlives, and one that ends in a test. */
const KEEP: Keep = { size: 5, ttl: 60_000 };
const SHORT = 500;

const history: BackplaneRule = {
  name: "history",
  title:
    "what is appended has rising offsets, is heard by all subscribers, and can be read anywhere",
  check: (subject) =>
    withHistory(subject, async ([one, two]) => {
      await Promise.all([one.subscribe("a"), two.subscribe("a")]);
      const before = await read(two, "a", 9);
      must(before.texts?.length === 0, `read() of a new topic returned ${show(before)}`);
      const messages = ["", "x", "漢字🙂", "\0", "5:5", "x".repeat(10_000), "last"];
      const offsets = await append(one, "a", messages);
      const { offset } = before;
      const expected = messages.map((_, index) => offset + 1 + index);
      must(same(offsets, expected), `append() returned the offsets ${show(offsets)}`);
      for (const instance of [one, two]) {
        await until(
          () => instance.kept.length >= messages.length,
          () => `kept() of a subscriber got ${instance.kept.length} of ${messages.length} messages`,
          subject.patience,
        );
        const texts = instance.kept.map(({ text }) => text);
        must(same(texts, messages), `kept() got ${show(texts)}`);
        must(
          same(instance.kept.map(({ at }) => at.offset), expected),
          `kept() got the offsets ${show(instance.kept.map(({ at }) => at.offset))}`,
        );
      }
      const newest = await read(two, "a", 3);
      must(
        same(newest.texts, messages.slice(-3)),
        `read() of the newest 3 returned ${show(newest)}`,
      );
      const { epoch } = newest;
      must(
        one.kept.every(({ at }) => at.epoch === epoch),
        "kept() and read() have different epochs",
      );
      const after = async (from: number, of = epoch) =>
        (await read(two, "a", { epoch: of, offset: from })).texts;
      const last = offset + messages.length;
      must(same(await after(last), []), "read() after the newest message returned something");
      must(same(await after(last - 5), messages.slice(-5)), "read() did not return the last 5");
      must(await after(last - 6) === undefined, "read() returned messages although one is gone");
      must(await after(last + 1) === undefined, "read() took an offset that there has not been");
      must(
        await after(last, "other") === undefined,
        "read() took an epoch that there has not been",
      );
    }),
};

const once: BackplaneRule = {
  name: "once",
  title: "a message with the id of a kept one is not appended, and one whose place is gone is",
  async check(subject) {
    requires(subject, "open", "history");
    await withHistory(subject, async ([one, two]) => {
      const first = await append(one, "a", ["1", "2"], ["x", "y"]);
      const again = await append(two, "a", ["1", "3", "2"], ["x", "z", "y"]);
      const third = (first[1] ?? 0) + 1;
      must(
        same(again, [undefined, third, undefined]),
        `append() of known ids returned ${show(again)}`,
      );
      await append(one, "a", ["4", "5", "6"]);
      const late = await append(two, "a", ["7"], ["x"]);
      must(
        late[0] === third + 4,
        `append() with the id of a former message returned ${show(late)}`,
      );
      const { texts } = await read(one, "a", 9);
      must(same(texts, ["3", "4", "5", "6", "7"]), `read() returned ${show(texts)}`);
    });
  },
};

const total: BackplaneRule = {
  name: "total",
  title: "what several instances append to a topic has one order for all, without a hole",
  async check(subject) {
    requires(subject, "open", "history");
    await withHistory(subject, async ([one, two]) => {
      await Promise.all([one.subscribe("a"), two.subscribe("a")]);
      const each = 100;
      await Promise.all([one, two].map(async (instance, index) => {
        for (let n = 0; n < each; n += 10) {
          const texts = Array.from({ length: 10 }, (_, more) => `${index}.${n + more}`);
          await append(instance, "a", texts);
        }
      }));
      for (const instance of [one, two]) {
        await until(
          () => instance.kept.length >= 2 * each,
          () => `kept() of a subscriber got ${instance.kept.length} of ${2 * each} messages`,
          subject.patience,
        );
      }
      const orders = [one, two].map(({ kept }) =>
        kept.map(({ at, text }) => `${at.offset} ${text}`)
      );
      must(same(orders[0], orders[1]), "two subscribers heard different orders");
      const offsets = one.kept.map(({ at }) => at.offset);
      must(
        offsets.every((offset, index) => offset === offsets[0] + index),
        `kept() got the offsets ${show(offsets)}`,
      );
    });
  },
};

const over: BackplaneRule = {
  name: "over",
  title: "messages are gone when their time is over, and no epoch and offset are used twice",
  async check(subject) {
    requires(subject, "open", "history");
    await withHistory(subject, async ([one, two]) => {
      const keep = { size: 5, ttl: SHORT };
      const used = new Set<string>();
      for (let time = 0; time < 2; time++) {
        await append(one, "a", ["1", "2"], [], keep);
        const { epoch, offset } = await read(two, "a", 9, keep);
        for (const place of [`${epoch} ${offset}`, `${epoch} ${offset - 1}`]) {
          must(!used.has(place), `the place ${place} was used twice`);
          used.add(place);
        }
        await pause(SHORT);
        await until(
          async () => (await read(two, "a", 9, keep)).texts?.length === 0,
          () => `messages with a time of ${SHORT} ms are still there`,
          subject.patience,
        );
      }
    });
  },
};

/** Runs a rule with two instances; passes where the backplane keeps nothing. */
async function withHistory(
  subject: BackplaneSubject,
  act: (instances: readonly [Keeping, Keeping]) => Promise<void>,
): Promise<void> {
  requires(subject, "open");
  await subject.with(async ({ join }) => {
    const [one, two] = [await join(), await join()];
    if (isKeeping(one) && isKeeping(two)) await act([one, two]);
  });
}

type Keeping = BackplaneInstance & {
  readonly backplane: { readonly history: BackplaneHistory };
};

function isKeeping(instance: BackplaneInstance): instance is Keeping {
  return instance.backplane.history !== undefined;
}

async function append(
  { backplane: { history } }: Keeping,
  topic: string,
  texts: readonly string[],
  ids: readonly string[] = [],
  keep = KEEP,
): Promise<readonly (number | undefined)[]> {
  const messages = texts.map((text, index) => ({ message: encoder.encode(text), id: ids[index] }));
  const appending = () => history.append(topic, messages, keep);
  return (await within("history.append()", appending, SETTLES)).offsets;
}

async function read(
  { backplane: { history } }: Keeping,
  topic: string,
  question: Parameters<BackplaneHistory["read"]>[2],
  keep = KEEP,
) {
  const reading = () => history.read(topic, keep, question);
  const { newest, messages } = await within("history.read()", reading, SETTLES);
  return { ...newest, texts: messages?.map((message) => decoder.decode(message)) };
}

function same(found: unknown, expected: unknown): boolean {
  const text = (value: unknown) => JSON.stringify(value, (_key, part) => part ?? "undefined");
  return text(found) === text(expected);
}

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** The rules about kept messages. */
export const historyRules: readonly BackplaneRule[] = [history, once, total, over];
