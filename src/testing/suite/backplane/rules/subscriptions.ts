/** Rules about topics and subscriptions. */
import { must, show, until } from "../../failure.ts";
import type { BackplaneInstance } from "../instance.ts";
import { type BackplaneRule, requires } from "../subject.ts";

/** How often a message races with a subscription. */
const RACES = 100;
/** How many topics an instance has at once. */
const MANY = 3_000;

const long = (last: string): string => "x".repeat(999) + last;

/** Topics that may mean something to a broker, each of them one of its own. */
const TOPICS: readonly string[] = [
  ...["", " ", "a b", " a", "a ", "\t", "\n", "\r\n", "\0", "a\0b"],
  ...["*", ">", "#", "?", "+", "a.*", "a.>", "a.#", "*.*", "a.b", ".", "..", "a..b", ".a", "a."],
  ...[
    "$SYS",
    "$",
    "/",
    "a/b",
    "a//b",
    "/a",
    "a/",
    "a:b",
    ":",
    "::",
    "%",
    "%20",
    "%2A",
    "\\",
    "[a]",
  ],
  ...["{", "{a}", '"', "'", "a", "A", "ä", "a\u0308", "漢字", "🙂", "\u202e", "\ufeff", "_", "-"],
  ...["x".repeat(999), long("a"), long("b"), "漢".repeat(333)],
];

const topics: BackplaneRule = {
  name: "topics",
  title: "a topic is any text of at most 1,000 bytes, and is never a pattern",
  async check(subject) {
    requires(subject, "open", "delivery");
    await subject.with(async ({ join }) => {
      const [sender, listener] = [await join(), await join()];
      await listener.subscribe(...TOPICS);
      for (const [index, topic] of TOPICS.entries()) await sender.publish(topic, String(index));
      await sender.publish(TOPICS[0], "end");
      await until(
        () => listener.heard.some(({ text }) => text === "end"),
        () => `a message to ${show(TOPICS[0])} has not arrived`,
        subject.patience,
      );
      for (const [index, topic] of TOPICS.entries()) {
        const heard = listener.heard.filter(({ text }) => text === String(index));
        const places = heard.map(({ topic }) => topic);
        must(
          places.length === 1 && places[0] === topic,
          `a message to the topic ${show(topic)} was heard on ${show(places)}`,
        );
      }
    });
  },
};

const live: BackplaneRule = {
  name: "live",
  title: "a subscription is live when subscribe() has resolved, whoever publishes",
  async check(subject) {
    requires(subject, "open", "delivery");
    await subject.with(async ({ join }) => {
      const [sender, listener] = [await join(), await join()];
      const races = Array.from({ length: RACES }, (_, index) => `race ${index}`);
      // One after the other, then all at once.
      for (const topic of races.slice(0, RACES / 2)) {
        await listener.subscribe(topic);
        await sender.publish(topic, topic);
      }
      await Promise.all(
        races.slice(RACES / 2).map(async (topic) => {
          await listener.subscribe(topic);
          await sender.publish(topic, topic);
        }),
      );
      await flushed(sender, listener);
      for (const topic of races) {
        const count = listener.texts(topic).length;
        must(
          count === 1,
          `${show(topic)} was published after subscribe() had resolved, and heard ${count} times`,
        );
      }
    });
  },
};

const heard: BackplaneRule = {
  name: "heard",
  title: "heard() is never false for a topic that another instance is subscribed to",
  async check(subject) {
    requires(subject, "open", "delivery", "live");
    await subject.with(async ({ join }) => {
      const [sender, listener] = [await join(), await join()];
      for (let round = 0; round < 10; round++) {
        const topic = `heard ${round}`;
        const before = sender.backplane.heard?.(topic);
        must(
          before === undefined || typeof before === "boolean",
          `heard() returned ${show(before)}`,
        );
        await listener.subscribe(topic);
        must(
          sender.backplane.heard?.(topic) !== false,
          `${show(topic)} is subscribed to, and heard() of another instance returned false`,
        );
      }
    });
  },
};

const unsubscribe: BackplaneRule = {
  name: "unsubscribe",
  title: "after unsubscribe() messages of the topic come no more, and those of others do",
  async check(subject) {
    requires(subject, "open", "delivery");
    await subject.with(async ({ join }) => {
      const [sender, listener] = [await join(), await join()];
      await listener.subscribe("gone", "stays");
      await sender.publish("gone", "heard");
      await listener.hears("gone", "heard");
      listener.backplane.unsubscribe(["gone", "never subscribed"]);
      let round = 0;
      await until(
        async () => {
          const text = `round ${++round}`;
          await sender.publish("gone", text);
          await sender.publish("stays", text);
          await listener.hears("stays", text);
          return !listener.texts("gone").includes(text);
        },
        () => "messages of a topic that was unsubscribed still come",
        subject.patience,
      );
    });
  },
};

const resubscribe: BackplaneRule = {
  name: "resubscribe",
  title:
    "of unsubscribe() and subscribe() in one turn the last one counts, and nothing comes twice",
  async check(subject) {
    requires(subject, "open", "delivery", "unsubscribe");
    await subject.with(async ({ join }) => {
      const [sender, listener] = [await join(), await join()];
      await listener.subscribe("again");
      for (let round = 0; round < 10; round++) {
        listener.backplane.unsubscribe(["again"]);
        await listener.subscribe("again");
        const text = `round ${round}`;
        await sender.publish("again", text);
        // What is on its way when its subscription ends may be lost, rightly.
        await listener.hears("again", text);
      }
      const subscribing = listener.subscribe("ended");
      listener.backplane.unsubscribe(["ended"]);
      // A subscription that ended before it began may fail.
      await subscribing.catch(() => undefined);
      await flushed(sender, listener);
      for (let round = 0; round < 10; round++) {
        const count = listener.texts("again").filter((text) => text === `round ${round}`).length;
        must(count === 1, `a message after unsubscribe() and subscribe() came ${count} times`);
      }
      await sender.publish("ended", "late");
      await flushed(sender, listener);
      must(
        !listener.texts("ended").includes("late"),
        "unsubscribe() after subscribe() did nothing",
      );
    });
  },
};

const many: BackplaneRule = {
  name: "many",
  title: "thousands of topics are subscribed at once",
  async check(subject) {
    requires(subject, "open", "delivery", "live");
    await subject.with(async ({ join }) => {
      const [sender, listener] = [await join(), await join()];
      const all = Array.from({ length: MANY }, (_, index) => `topic ${index}`);
      await Promise.all([
        listener.subscribe(...all.slice(0, MANY / 2)),
        ...all.slice(MANY / 2).map((topic) => listener.subscribe(topic)),
      ]);
      const some = all.filter((_, index) => index % 10 === 0 || index === MANY - 1);
      await Promise.all(some.map((topic) => sender.publish(topic, topic)));
      await flushed(sender, listener);
      const missing = some.filter((topic) => listener.texts(topic).length !== 1);
      must(
        missing.length === 0,
        `of ${MANY} topics, ${missing.length} of ${some.length} messages were not heard once`,
      );
      listener.backplane.unsubscribe(all);
      await flushed(sender, listener);
    });
  },
};

/** Waits until all that was published before has arrived. */
export async function flushed(
  sender: BackplaneInstance,
  listener: BackplaneInstance,
): Promise<void> {
  const end = `end ${crypto.randomUUID()}`;
  await listener.subscribe(end);
  await sender.publish(end, end);
  await listener.hears(end, end);
}

/** The rules about subscriptions. */
export const subscriptionRules: readonly BackplaneRule[] = [
  topics,
  live,
  heard,
  unsubscribe,
  resubscribe,
  many,
];
