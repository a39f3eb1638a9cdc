/** What no single attribute of an mq connector tells. */
import type { Complaint } from "../../contract/definition.ts";
import { isDecodable } from "../../base/text.ts";
import { type MqOptions, queueNameOf, settle } from "./options.ts";
import { compilePattern, hasWildcard, isTooLong } from "./topic.ts";

/** Checks a whole `connector` block. */
export function checkOptions(options: MqOptions): readonly Complaint[] {
  const complaints: Complaint[] = [...checkUrl(options)];
  const { exchange, queue, consumer, publisher } = options;
  const name = queueNameOf(options);
  if (exchange !== undefined && exchange.name === undefined && !exchange.durable) {
    complaints.push({ message: "needs a name for an exchange that is not durable" });
  }
  if (queue !== undefined && name === undefined) {
    complaints.push({
      message: "needs a name in its queue block",
      hint: "leave the block out for a queue of each instance's own",
    });
  }
  if (
    consumer?.queue !== undefined && queue?.name !== undefined && consumer.queue !== queue.name
  ) {
    complaints.push({
      message: `consumes from "${consumer.queue}" but declares "${queue.name}"`,
      hint: "one of the two names is enough",
    });
  }
  if (consumer?.dlq !== undefined && consumer.dlq.queue === undefined && name === undefined) {
    complaints.push({
      message: "needs a queue in its dlq block",
      hint: "only a named queue gives its dead letters a name",
    });
  }
  if (
    consumer?.dlq?.exchange !== undefined && consumer.dlq.exchange === settle(options).exchange.name
  ) {
    complaints.push({
      message: "sends its dead letters back to the exchange that they came from",
      hint: "name another exchange in the dlq block, or none",
    });
  }
  if (publisher?.mandatory && !publisher.confirms) {
    complaints.push({ message: "needs confirms to know what mandatory asks for" });
  }
  return complaints;
}

/** What an exchange of this type makes of the `operation` of a `from` block. */
export function checkOperation(
  operation: string | undefined,
  options: MqOptions,
): readonly Complaint[] {
  const { exchange: { type }, queue } = settle(options);
  if (operation !== undefined && isTooLong(operation)) {
    return [{ attribute: "operation", message: "has an operation of more than 255 bytes" }];
  }
  if (type !== "direct") return [];
  if (operation === undefined) {
    return queue !== undefined ? [] : [{
      message: "needs an operation",
      hint: "a direct exchange delivers exact routing keys; a topic exchange takes patterns",
    }];
  }
  return !hasWildcard(operation) ? [] : [{
    attribute: "operation",
    message: `has a pattern, but "${settle(options).exchange.name}" is a direct exchange`,
    hint: "a topic exchange takes patterns",
  }];
}

/**
 * Whether what is published with the routing key `target` reaches a flow on `operation` of the same
 * connector. What another exchange makes of it, nobody knows here.
 */
export function comesBack(
  operation: string | undefined,
  target: string,
  options: MqOptions,
): boolean {
  const { exchange, queue, publisher } = settle(options);
  const routed = publisher.exchange === ""
    ? target === queue?.name
    // Without an operation a flow binds no key of a direct exchange.
    : publisher.exchange === exchange.name &&
      (exchange.type !== "direct" || operation !== undefined);
  return routed && compilePattern(operation ?? "#")(target);
}

/** Whether a `to` block needs a `target`: only a fanout exchange has no use for routing keys. */
export function needsTarget(options: MqOptions): boolean {
  const { exchange, publisher } = settle(options);
  return exchange.type !== "fanout" || publisher.exchange !== exchange.name;
}

function checkUrl({ url, ...rest }: MqOptions): readonly Complaint[] {
  if (url === undefined) return [];
  const others = (["host", "port", "username", "password", "vhost", "tls"] as const)
    .filter((name) => rest[name] !== undefined);
  const example = "such as amqp://user:password@host:5672/vhost";
  const parsed = URL.canParse(url) ? new URL(url) : undefined;
  if (parsed === undefined || !/^amqps?:$/.test(parsed.protocol) || parsed.hostname === "") {
    return [{
      attribute: "url",
      message: "has a url that is no amqp:// or amqps:// URL",
      hint: example,
    }];
  }
  if (parsed.search !== "" || parsed.hash !== "") {
    return [{
      attribute: "url",
      message: "has a url with parameters, which it takes none of",
      hint: example,
    }];
  }
  const parts = { username: parsed.username, password: parsed.password, vhost: parsed.pathname };
  const undecodable = Object.entries(parts).find(([, text]) => !isDecodable(text));
  if (undecodable !== undefined) {
    return [{
      attribute: "url",
      message: `has a url with a "%" in its ${undecodable[0]} that encodes no character`,
      hint: "write %25 for a percent sign",
    }];
  }
  return others.map((name) => ({
    attribute: name,
    message: `has a url and a ${name}`,
    hint: `the url says it all: ${example}`,
  }));
}
