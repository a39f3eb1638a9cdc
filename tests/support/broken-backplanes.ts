/** Brokers in memory for the contract suite of backplanes: sound ones, and those that break a rule each. */
import {
  type Backplane,
  type BackplaneCapabilities,
  type BackplaneContext,
  BackplaneError,
  type BackplaneListener,
} from "../../src/contract/backplane.ts";
import type { backplaneTests } from "../../src/testing/mod.ts";
import { type MemoryBackplane, MemoryBus } from "./memory-backplane.ts";

/** What the suite is told. */
export type Options = Parameters<typeof backplaneTests>[0];

/** Makes one instance's backplane of a sound one. */
export type Change = (link: MemoryBackplane, context: BackplaneContext) => Partial<Backplane>;

/** What is unusual about a broker. */
export interface Broker {
  readonly change?: Change;
  readonly capabilities?: Partial<BackplaneCapabilities>;
  /** What it calls a service. */
  readonly nameOf?: (service: string) => string;
}

/** A broker in memory of a suite's own, whose links `change` may break. */
export function brokerOf(
  { change = () => ({}), capabilities = {}, nameOf = (service) => service }: Broker = {},
): Pick<Options, "create" | "outage"> {
  const buses = new Map<string, MemoryBus>();
  const links = new Set<MemoryBackplane>();
  let isAway = false;
  return {
    create(context) {
      const name = nameOf(context.service);
      const bus = buses.get(name) ?? new MemoryBus(capabilities);
      buses.set(name, bus);
      const link = bus.connect(context.instance);
      links.add(link);
      if (isAway) link.cut();
      return changed(link, change(link, context));
    },
    outage: {
      stop() {
        isAway = true;
        for (const link of links) link.cut();
      },
      start() {
        isAway = false;
        for (const link of links) link.mend();
      },
    },
  };
}

/** A link with some methods in the place of its own. */
function changed(link: MemoryBackplane, parts: Partial<Backplane>): Backplane {
  return {
    capabilities: link.capabilities,
    keys: link.keys,
    history: link.history,
    open: (listener) => link.open(listener),
    publish: (topic, message) => link.publish(topic, message),
    subscribe: (topics) => link.subscribe(topics),
    unsubscribe: (topics) => link.unsubscribe(topics),
    health: () => link.health(),
    close: () => link.close(),
    ...parts,
  };
}

/** What a listener is told otherwise. */
function told(
  change: (listener: BackplaneListener, link: MemoryBackplane) => Partial<BackplaneListener>,
): Change {
  return (link) => ({
    open: (listener) => link.open({ ...listener, ...change(listener, link) }),
  });
}

const text = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);
const later = (milliseconds: number) =>
  new Promise<void>((resolve) => setTimeout(resolve, milliseconds));
const failed = () => Promise.reject(new BackplaneError("it does not work"));
const ignored = () => undefined;

/** Backplanes that break a rule each: the rule is the first word. */
export const broken: Readonly<Record<string, Change | Broker>> = {
  "open: it never tells that it is up": told(() => ({ up: () => {} })),
  "open: it is up and says that it is away": () => ({ health: () => "away" }),
  "open: it has no order": ({ capabilities: { echoes, live, members } }) => ({
    capabilities: { echoes, live, members } as BackplaneCapabilities,
  }),
  "open: up() comes twice": told((listener) => ({
    up() {
      listener.up();
      listener.up();
    },
  })),
  "close: it fails before open()": (link) => {
    let open = false;
    return {
      open: (listener) => link.open(listener).then(() => void (open = true)),
      close: () => open ? link.close() : Promise.reject(new Error("not open")),
    };
  },
  "close: publish() resolves afterwards": (link) => ({
    publish: (topic, message) =>
      link.publish(topic, message).catch((error) => {
        if (link.isCut) throw error;
      }),
  }),
  "close: it goes on hearing": (link) => {
    let told: BackplaneListener | undefined;
    return {
      open: (listener) => link.open(told = listener),
      close: () => link.close().then(() => told?.down("closed")),
    };
  },
  "close: it goes on publishing": (link) => ({
    close: () => Promise.resolve(),
    publish: (topic, message) => link.publish(topic, message),
  }),
  "history: it is heard by the others alone": (link) => ({
    history: {
      ...link.history,
      append: async (...args) => {
        link.faults.add("deaf");
        const appended = await link.history.append(...args);
        link.faults.delete("deaf");
        return appended;
      },
    },
  }),
  "history: it keeps more than it may": (link) => ({
    history: {
      append: (topic, messages, { ttl }) => link.history.append(topic, messages, { size: 9, ttl }),
      read: link.history.read,
    },
  }),
  "history: it takes any epoch": (link) => ({
    history: {
      append: link.history.append,
      read: async (topic, keep, question) => {
        if (typeof question === "number") return await link.history.read(topic, keep, question);
        const { newest: { epoch } } = await link.history.read(topic, keep, 0);
        return await link.history.read(topic, keep, { ...question, epoch });
      },
    },
  }),
  "once: it knows no ids": (link) => ({
    history: {
      append: (topic, messages, keep) =>
        link.history.append(topic, messages.map(({ message }) => ({ message })), keep),
      read: link.history.read,
    },
  }),
  "total: a later message overtakes": told((listener) => {
    let number = 0;
    return {
      kept: (topic, at, messages) => {
        const late = ++number % 7 === 0 ? 2 : 0;
        setTimeout(() => listener.kept?.(topic, at, messages), late * 10);
      },
    };
  }),
  "over: its messages stay": (link) => ({
    history: {
      append: (topic, messages, { size }) =>
        link.history.append(topic, messages, { size, ttl: 60_000 }),
      read: link.history.read,
    },
  }),
  "members: nobody is told": {
    capabilities: { members: true },
    change: told(() => ({ members: () => {} })),
  },
  "service: all are one": { nameOf: () => "all" },
  "service: the case of letters is lost": { nameOf: (service) => service.toLowerCase() },
  "delivery: everybody hears everything": (link) => ({
    subscribe: (topics) => link.subscribe([...topics, "a", "b"]),
  }),
  "delivery: its capabilities are wrong": ({ capabilities }) => ({
    capabilities: { ...capabilities, echoes: !capabilities.echoes },
  }),
  "nobody: publish() waits for a listener": (link) => ({
    publish: (topic, message) => topic === "nobody" ? failed() : link.publish(topic, message),
  }),
  "order: a later message overtakes": (link) => ({
    async publish(topic, message) {
      if (topic === "c") await later(1);
      await link.publish(topic, message);
    },
  }),
  "one-order: its own messages come first": (link) => {
    let told: BackplaneListener | undefined;
    const isOwn = (message: Uint8Array) => text(message).startsWith(link.id);
    return {
      open(listener) {
        told = listener;
        const message: BackplaneListener["message"] = (topic, bytes) => {
          if (!isOwn(bytes)) listener.message(topic, bytes);
        };
        return link.open({ ...listener, message });
      },
      async publish(topic, message) {
        if (isOwn(message) && link.hears(topic)) told?.message(topic, message);
        await link.publish(topic, message);
      },
    };
  },
  "bytes: they become text": (link) => ({
    publish: (topic, message) => link.publish(topic, new TextEncoder().encode(text(message))),
  }),
  "bytes: a buffer is used again": told((listener) => {
    const buffer = new Uint8Array(2 ** 21);
    return {
      message(topic, message) {
        buffer.set(message);
        listener.message(topic, buffer.subarray(0, message.length));
      },
    };
  }),
  "topics: spaces are cut off": (link) => ({
    publish: (topic, message) => link.publish(topic.trim(), message),
    subscribe: (topics) => link.subscribe(topics.map((topic) => topic.trim())),
  }),
  "topics: they have no capital letters": (link) => ({
    publish: (topic, message) => link.publish(topic.toLowerCase(), message),
    subscribe: (topics) => link.subscribe(topics.map((topic) => topic.toLowerCase())),
  }),
  "live: subscribe() does not wait": (link) => ({
    async subscribe(topics) {
      if (!topics[0].startsWith("race")) return await link.subscribe(topics);
      setTimeout(() => link.subscribe(topics).catch(ignored), 5);
    },
  }),
  "heard: it forgets the others": (link) => ({ heard: (topic) => link.hears(topic) }),
  "unsubscribe: it does nothing": () => ({ unsubscribe: () => {} }),
  "resubscribe: it ends what begins after it": (link) => ({
    unsubscribe: (topics) => void setTimeout(() => link.unsubscribe(topics), 0),
  }),
  "many: a thousand are the most": (link) => ({
    async subscribe(topics) {
      if (link.topics.size + topics.length > 1_000) return await failed();
      await link.subscribe(topics);
    },
  }),
  "keys: replace() does not compare": ({ keys }) => ({
    keys: { ...keys, replace: (key, _old, text, ttl) => keys.add(key, text, ttl).then(() => true) },
  }),
  "race: add() looks first": ({ keys }) => ({
    keys: {
      ...keys,
      async add(key, text, ttl) {
        const old = await keys.get(key);
        if (old !== undefined) return old;
        await later(1);
        await keys.add(key, text, ttl);
        return undefined;
      },
    },
  }),
  "ttl: keys live for ever": ({ keys }) => ({
    keys: {
      ...keys,
      add: (key, text) => keys.add(key, text, 1e9),
      replace: (key, old, text) => keys.replace(key, old, text, 1e9),
    },
  }),
  "away: it fails with another error": (link) => ({
    publish: (topic, message) =>
      link.publish(topic, message).catch((error) => {
        throw link.isCut ? new Error("away") : error;
      }),
  }),
  "away: publish() never settles": (link) => ({
    publish: (topic, message) => link.isCut ? new Promise(ignored) : link.publish(topic, message),
  }),
  "away: it tells nobody": told(() => ({ down: () => {} })),
  "late: open() waits for the broker": (link) => ({
    open: (listener) => link.isCut ? new Promise(ignored) : link.open(listener),
  }),
  "recovery: subscriptions are forgotten": told((listener, link) => ({
    down(reason) {
      link.unsubscribe([...link.topics]);
      listener.down(reason);
    },
  })),
  "recovery: up() comes before the subscriptions": told((listener, link) => {
    let lost: string[] = [];
    return {
      down(reason) {
        lost = [...link.topics];
        link.unsubscribe(lost);
        listener.down(reason);
      },
      up() {
        listener.up();
        setTimeout(() => link.subscribe(lost).catch(ignored), 20);
      },
    };
  }),
  "recovery: a subscription that failed begins later": (link) => {
    const failed: string[] = [];
    return {
      open: (listener) =>
        link.open({
          ...listener,
          up() {
            if (failed.length > 0) link.subscribe(failed).catch(ignored);
            listener.up();
          },
        }),
      subscribe: (topics) =>
        link.subscribe(topics).catch((error) => {
          failed.push(...topics);
          throw error;
        }),
    };
  },
};
