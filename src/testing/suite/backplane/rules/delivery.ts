/** Rules about messages on their way. */
import { must, show } from "../../failure.ts";
import type { BackplaneInstance } from "../instance.ts";
import { type BackplaneRule, requires } from "../subject.ts";

/** Messages of each sender in the rules about order. */
const MANY = 200;
/** The largest message, in bytes. */
const LARGEST = 1024 * 1024;

const delivery: BackplaneRule = {
  name: "delivery",
  title: "a message reaches each instance that is subscribed to its topic, and no other one",
  async check(subject) {
    requires(subject, "open");
    await subject.with(async ({ join }) => {
      const [sender, listener, other] = [await join(), await join(), await join()];
      await sender.subscribe("a");
      await listener.subscribe("a", "b");
      await other.subscribe("b");
      await sender.publish("a", "to a");
      await sender.publish("b", "to b");
      await listener.hears("a", "to a");
      await listener.hears("b", "to b");
      await other.hears("b", "to b");
      await other.publish("a", "end");
      await sender.hears("a", "end");
      await listener.hears("a", "end");
      hasHeard(listener, ["to a", "to b", "end"]);
      hasHeard(other, ["to b"]);
      const own = sender.backplane.capabilities.echoes ? ["to a"] : [];
      const heard = sender.texts();
      must(
        heard.join() === [...own, "end"].join(),
        `capabilities.echoes is ${own.length > 0}, and what the sender of "to a" has heard is ` +
          show(heard),
      );
    });
  },
};

const nobody: BackplaneRule = {
  name: "nobody",
  title: "publish() resolves where nobody is subscribed",
  async check(subject) {
    requires(subject, "open", "delivery");
    await subject.with(async ({ join }) => {
      const sender = await join();
      await sender.publish("nobody", "alone");
      await sender.publish("", "alone");
    });
  },
};

const service: BackplaneRule = {
  name: "service",
  title: "instances of another service hear nothing, whatever the names of services and topics",
  async check(subject) {
    requires(subject, "open", "delivery");
    await subject.with(async ({ service, make, join }) => {
      const names = [":", ".", "/", "*", ">", "#", " ", "ü"].map((text) => service + text + "a");
      const own = await join();
      const others: BackplaneInstance[] = [];
      for (const name of [...names, service.toUpperCase()]) {
        const other = await make(name);
        await other.open();
        others.push(other);
      }
      const topics = ["t", "a:t", "a.t", "a/t", "*", ">", "#", "a", ""];
      for (const instance of [own, ...others]) {
        await instance.connected();
        await instance.subscribe(...topics);
      }
      for (const instance of others) {
        for (const topic of topics) await instance.publish(topic, instance.id);
      }
      // Each hears its own service, and itself where it can.
      const peer = await join(names[0]);
      await peer.publish("t", "end");
      await others[0].hears("t", "end");
      const mate = await join();
      await mate.publish("t", "end");
      await own.hears("t", "end");
      hasHeard(own, ["end"]);
      const foreign = others.flatMap(({ id, heard }) =>
        heard.filter(({ text }) => text !== id && text !== "end")
      );
      must(foreign.length === 0, `a message of another service was heard on ${shown(foreign)}`);
      await own.keys?.add("k", "own", 60_000);
      for (const { keys } of others) {
        must(await keys?.get("k") === undefined, "a key of another service was read");
      }
      await own.keys?.remove("k", "own");
    });
  },
};

const order: BackplaneRule = {
  name: "order",
  title: "what one instance publishes arrives in the order of its calls, whatever the topics",
  async check(subject) {
    requires(subject, "open", "delivery");
    await subject.with(async ({ join }) => {
      const [sender, listener] = [await join(), await join()];
      await listener.subscribe("a", "b", "c");
      const texts = await publishMany(sender, ["a", "b", "c"]);
      await listener.hearsCount(texts.length);
      hasHeard(listener, texts);
    });
  },
};

const oneOrder: BackplaneRule = {
  name: "one-order",
  title: 'with `order` "all", every instance hears the messages of all in one order',
  async check(subject) {
    requires(subject, "open", "delivery", "order");
    await subject.with(async ({ join }) => {
      const team = [await join(), await join(), await join()];
      if (team[0].backplane.capabilities.order !== "all") return;
      const listeners = team[0].backplane.capabilities.echoes ? team : team.slice(2);
      const senders = team.slice(0, 2);
      if (listeners.length === 1) listeners.push(await join());
      for (const listener of listeners) await listener.subscribe("a", "b");
      await Promise.all(senders.map((sender) => publishMany(sender, ["a", "b"])));
      for (const listener of listeners) await listener.hearsCount(2 * MANY);
      const [first, ...rest] = listeners.map((listener) => listener.texts());
      for (const texts of rest) {
        const at = texts.findIndex((text, index) => text !== first[index]);
        must(
          at < 0,
          `two instances heard message ${at} differently: ${show(first[at])} and ${
            show(texts[at])
          }`,
        );
      }
    });
  },
};

const bytes: BackplaneRule = {
  name: "bytes",
  title: "a message of 0 bytes to 1 MiB arrives as it was sent, and nobody changes it afterwards",
  async check(subject) {
    requires(subject, "open", "delivery");
    await subject.with(async ({ join }) => {
      const [sender, listener] = [await join(), await join()];
      await listener.subscribe("a");
      const all = Uint8Array.from({ length: 256 }, (_, index) => index);
      // A part of a larger buffer, too.
      const messages = [0, 1, 255, 256, 65_536, LARGEST].map((size) => filled(size))
        .concat([all, all.subarray(100, 200), filled(0), filled(3)]);
      for (const message of messages) await sender.publish("a", message);
      await listener.hearsCount(messages.length);
      for (const [index, sent] of messages.entries()) {
        const { message } = listener.heard[index];
        const at = sent.findIndex((byte, at) => byte !== message[at]);
        must(
          message.length === sent.length && at < 0,
          message.length === sent.length
            ? `byte ${at} of ${sent.length} was ${sent[at]} and has become ${message[at]}`
            : `a message of ${sent.length} bytes has become one of ${message.length} bytes`,
        );
      }
    });
  },
};

/** Bytes that differ from their neighbors. */
function filled(size: number): Uint8Array {
  const bytes = new Uint8Array(size);
  for (let index = 0; index < size; index++) bytes[index] = index * 31 + (index >> 8);
  return bytes;
}

/** Publishes without waiting for each, and returns the texts. */
async function publishMany(
  sender: BackplaneInstance,
  topics: readonly string[],
): Promise<readonly string[]> {
  const texts = Array.from({ length: MANY }, (_, index) => `${sender.id}:${index}`);
  await Promise.all(
    texts.map((text, index) => sender.publish(topics[index % topics.length], text)),
  );
  return texts;
}

/** Fails the rule where an instance has heard anything else. */
function hasHeard(instance: BackplaneInstance, texts: readonly string[]): void {
  const heard = instance.texts();
  const at = heard.findIndex((text, index) => text !== texts[index]);
  if (at < 0 && heard.length === texts.length) return;
  must(
    false,
    at < 0
      ? `${texts.length} messages were for an instance, and it has heard ${heard.length}`
      : `an instance has heard ${show(heard[at])} instead of ${show(texts[at] ?? "nothing")}`,
  );
}

function shown(heard: BackplaneInstance["heard"]): string {
  return show([...new Set(heard.map(({ topic }) => topic))]);
}

/** The rules about messages. */
export const deliveryRules: readonly BackplaneRule[] = [
  delivery,
  nobody,
  service,
  order,
  oneOrder,
  bytes,
];
