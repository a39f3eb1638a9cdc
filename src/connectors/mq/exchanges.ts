/**
 * Exchanges, queues and routing keys: how a configuration of RabbitMQ, or of the memory broker, is
 * checked, and its patterns.
 */
import { isLongerThan } from "../../base/text.ts";
import type { CodedProblem } from "../../contract/definition.ts";
import type { Expression } from "../../expression/mod.ts";
import type { Matcher } from "../../contract/subscriptions.ts";
import type { ConsumerSettings } from "../../messaging/mod.ts";
import { addressKey, checkAddress } from "./amqp-address.ts";
import type { Driver } from "./driver.ts";
import { type ExchangeType, type MqOptions, queueNameOf, settle } from "./options.ts";

/** What a driver takes whose broker routes with exchanges and queues. */
const ATTRIBUTES: readonly string[] = [
  ...["url", "host", "port", "username", "password", "vhost", "tls"],
  ...["exchange", "exchange.name", "exchange.type", "exchange.durable"],
  ...["queue", "queue.name", "queue.durable", "queue.type"],
  ...["queue.exclusive", "queue.auto_delete"],
  ...["consumer", "consumer.queue", "consumer.prefetch"],
  ...["consumer.dlq", "consumer.dlq.exchange", "consumer.dlq.queue"],
  ...["consumer.dlq.max_retries", "consumer.dlq.retry_delay"],
  ...["publisher", "publisher.exchange", "publisher.persistent"],
  ...["publisher.confirms", "publisher.mandatory"],
];

/** The checks of a driver whose broker routes with exchanges and queues. */
export const exchangeChecks: Omit<Driver, "title" | "load" | "memory"> = {
  attributes: ATTRIBUTES,
  destinationAttributes: ["headers", "message_id"],
  metadata: ["body", "headers", "routing_key", "exchange", "properties"],
  check: checkOptions,
  checkOperation,
  checkTarget,
  matcher: (operation) => compilePattern(operation ?? "#"),
  consumer: consumerOf,
  receives,
  receivesDeadLetters,
  everyInstance(options) {
    const { queue } = settle(options);
    return queue === undefined || queue.exclusive;
  },
};

function consumerOf(options: MqOptions): ConsumerSettings {
  const { deadLetters, ...rest } = settle(options).consumer;
  return { ...rest, deadLetters: deadLetters && `dead-letter queue ${deadLetters.queue}` };
}

/** Checks a whole `connector` block. */
function checkOptions(options: MqOptions): readonly CodedProblem[] {
  const problems: CodedProblem[] = [...checkAddress(options), ...checkQueueType(options)];
  const { exchange, queue, consumer, publisher } = options;
  const name = queueNameOf(options);
  if (exchange !== undefined && exchange.name === undefined && !exchange.durable) {
    problems.push({
      code: "missing-attribute",
      message: "needs a name for an exchange that is not durable",
    });
  }
  if (queue !== undefined && name === undefined) {
    problems.push({
      code: "missing-queue",
      message: "needs a name in its queue block",
      hint: "leave the block out, and each instance has its own queue",
    });
  }
  if (
    consumer?.queue !== undefined && queue?.name !== undefined && consumer.queue !== queue.name
  ) {
    problems.push({
      code: "conflicting-attributes",
      message: `consumes from "${consumer.queue}" but declares "${queue.name}"`,
      hint: "one of the two names is enough",
    });
  }
  if (consumer?.dlq !== undefined && consumer.dlq.queue === undefined && name === undefined) {
    problems.push({
      code: "missing-queue",
      message: "needs a queue in its dlq block",
      hint: "the name of a named queue is the default",
    });
  }
  if (
    consumer?.dlq?.exchange !== undefined && consumer.dlq.exchange === settle(options).exchange.name
  ) {
    problems.push({
      code: "dead-letter-loop",
      message: "sends dead letters to the exchange that they came from",
      hint: "name another exchange in the dlq block, or none",
    });
  }
  if (publisher?.mandatory && !publisher.confirms) {
    problems.push({
      code: "conflicting-attributes",
      message: "has mandatory without confirms",
    });
  }
  return problems;
}

/** A quorum queue is always durable, and belongs to nobody alone. */
function checkQueueType({ queue }: MqOptions): readonly CodedProblem[] {
  if (queue?.type !== "quorum") return [];
  const contradictions = {
    "durable = false": queue.durable === false,
    "exclusive = true": queue.exclusive,
    "auto_delete = true": queue.auto_delete,
  };
  return Object.entries(contradictions).filter(([, found]) => found).map(([text]) => ({
    code: "conflicting-attributes",
    message: `has a queue of the type "quorum" with ${text}`,
    hint: "a quorum queue survives its broker, its connections and its consumers",
  }));
}

/** Checks the `operation` of a `from` block: only a topic exchange takes patterns. */
function checkOperation(
  operation: string | undefined,
  options: MqOptions,
): readonly CodedProblem[] {
  const { exchange: { type }, queue } = settle(options);
  if (operation !== undefined && isTooLong(operation)) {
    const message = "has an operation of more than 255 bytes";
    return [{ code: "invalid-operation", attribute: "operation", message }];
  }
  if (type !== "direct") return [];
  if (operation === undefined) {
    return queue !== undefined ? [] : [{
      code: "missing-operation",
      message: "needs an operation",
      hint: "a direct exchange delivers exact routing keys; a topic exchange takes patterns",
    }];
  }
  return !hasWildcard(operation) ? [] : [{
    code: "invalid-operation",
    attribute: "operation",
    message: `has a pattern, but "${settle(options).exchange.name}" is a direct exchange`,
    hint: "a topic exchange takes patterns",
  }];
}

/**
 * Whether what is published with the routing key `target` reaches a flow on `operation` of the same
 * connector, or of another one with the options `sender`. Where another exchange sends it is not known.
 */
function receives(
  operation: string | undefined,
  target: string,
  options: MqOptions,
  sender: MqOptions = options,
): boolean {
  if (addressKey(options) !== addressKey(sender)) return false;
  const { exchange, queue } = settle(options);
  const { publisher } = settle(sender);
  const routed = publisher.exchange === ""
    ? target === queue?.name
    // Without an operation a flow binds no key of a direct exchange.
    : publisher.exchange === exchange.name &&
      (exchange.type !== "direct" || operation !== undefined);
  return routed && compilePattern(operation ?? "#")(target);
}

/** Checks the `target` of a `to` block: only a fanout exchange has no use for a routing key. */
function checkTarget(
  target: string | Expression | undefined,
  options: MqOptions,
): readonly CodedProblem[] {
  if (typeof target === "string" && isTooLong(target)) {
    const message = "has a target of more than 255 bytes";
    return [{ code: "invalid-value", attribute: "target", message }];
  }
  const { exchange, publisher } = settle(options);
  const needed = exchange.type !== "fanout" || publisher.exchange !== exchange.name;
  return target === undefined && needed
    ? [{ code: "missing-target", message: "needs a target", hint: "the routing key of the event" }]
    : [];
}

/** Whether the dead letters of the connector with the options `sender` may reach a flow. */
function receivesDeadLetters(options: MqOptions, sender: MqOptions): boolean {
  const { deadLetters } = settle(sender).consumer;
  if (deadLetters === undefined || addressKey(options) !== addressKey(sender)) return false;
  const { exchange, queue } = settle(options);
  return deadLetters.queue === queue?.name ||
    (deadLetters.exchange !== "" && deadLetters.exchange === exchange.name);
}

/** How many bytes a routing key has at most: AMQP writes its length in one byte. */
export const LONGEST_KEY = 255;

/**
 * Compiles a pattern: words between dots, where `*` matches exactly one word and `#` any
 * number of them. Every other character means itself.
 */
export function compilePattern(pattern: string): Matcher {
  if (pattern === "#") return () => true;
  if (!hasWildcard(pattern)) return (routingKey) => routingKey === pattern;
  const words = wordsOf(pattern);
  return (routingKey) => fits(words, wordsOf(routingKey));
}

/** Whether `pattern` has a word that matches others. */
export function hasWildcard(pattern: string): boolean {
  return wordsOf(pattern).some((word) => word === "*" || word === "#");
}

/** Whether a routing key or pattern has more than `LONGEST_KEY` bytes. */
export function isTooLong(routingKey: string): boolean {
  return isLongerThan(routingKey, LONGEST_KEY);
}

/**
 * The keys that bind a queue to an exchange of this type, so that it gets the messages for flows with
 * these `operations`; undefined among them means every event.
 */
export function bindingKeys(
  type: ExchangeType,
  operations: readonly (string | undefined)[],
): readonly string[] {
  if (operations.length === 0) return [];
  if (type === "fanout") return [""];
  if (type === "direct") return unique(operations.filter((key) => key !== undefined));
  return unique(operations.map((key) => key ?? "#"));
}

function unique(keys: readonly string[]): readonly string[] {
  return [...new Set(keys)];
}

/** An empty key has no words, but `a.` has two, one of which is empty. */
function wordsOf(key: string): readonly string[] {
  return key === "" ? [] : key.split(".");
}

/** Goes back to the latest `#` where a word does not fit; that is enough to find a match. */
function fits(pattern: readonly string[], words: readonly string[]): boolean {
  let at = 0;
  let hash = -1;
  let resume = 0;
  for (let word = 0; word < words.length;) {
    if (pattern[at] === "#") {
      hash = at++;
      resume = word;
    } else if (at < pattern.length && (pattern[at] === "*" || pattern[at] === words[word])) {
      at++;
      word++;
    } else if (hash >= 0) {
      at = hash + 1;
      word = ++resume;
    } else {
      return false;
    }
  }
  while (pattern[at] === "#") at++;
  return at === pattern.length;
}
