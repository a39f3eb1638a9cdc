/** How a configuration of Redis is checked, and what its flows and destinations have in common. */
import { isDecodable, isLongerThan } from "../../../../base/text.ts";
import type { CodedProblem } from "../../../../contract/definition.ts";
import type { Expression } from "../../../../expression/mod.ts";
import type { Driver } from "../../driver.ts";
import { type MqOptions, redeliveryOf } from "../../options.ts";
import { compileGlob, isGlob } from "./glob.ts";
import { EVERY_CHANNEL, redisRouting } from "./routing.ts";
import { LONGEST_NAME, modeOf, serverOf, settle } from "./settings.ts";

/** The driver, without the module that connects. */
export const redisChecks: Omit<Driver, "title" | "load"> = {
  attributes: [
    ...["url", "sentinel", "host", "port", "username", "password", "tls"],
    ...["queue", "queue.name"],
    ...["consumer", "consumer.prefetch", "consumer.claim_after"],
    ...["consumer.dlq", "consumer.dlq.stream"],
    ...["consumer.dlq.max_retries", "consumer.dlq.retry_delay"],
    ...["publisher", "publisher.mode", "publisher.max_length"],
  ],
  destinationAttributes: ["headers"],
  metadata: ["body", "headers", "_channel", "_pattern", "_stream", "_id"],
  consumer(options) {
    const { deadLetters } = settle(options);
    return {
      ...redeliveryOf(options),
      deadLetters: deadLetters && `dead-letter stream ${deadLetters}`,
    };
  },
  check,
  checkOperation,
  checkTarget,
  checkHeaders,
  matcher(operation) {
    const wanted = subscriptionOf(operation);
    return (key) => key === wanted;
  },
  receives,
  receivesDeadLetters,
  everyInstance: (options) => settle(options).group === undefined,
  memory(options) {
    const { group, mode, prefetch, deadLetters } = settle(options);
    const { server: address, database } = serverOf(options);
    const deadLetterStream = deadLetters;
    return redisRouting({
      address,
      database,
      longestKey: LONGEST_NAME,
      prefetch,
      group,
      mode,
      deadLetterStream,
    });
  },
};

/** What a flow subscribes to: a channel, a glob of channels or a stream. It is the key of its events. */
export function subscriptionOf(operation: string | undefined): string {
  return operation ?? EVERY_CHANNEL;
}

function check(options: MqOptions): readonly CodedProblem[] {
  const problems: CodedProblem[] = [...checkUrls(options), ...checkUser(options)];
  const { queue, consumer, publisher } = options;
  const named = queue?.name !== undefined;
  if (queue !== undefined && !named) {
    problems.push({
      code: "missing-queue",
      message: "needs a name in its queue block",
      hint: "the name of the consumer group; leave the block out, and operations are channels",
    });
  }
  if (queue?.name === "") {
    problems.push({ code: "invalid-value", message: "has an empty name in its queue block" });
  }
  if (consumer?.dlq !== undefined && queue === undefined) {
    problems.push({
      code: "missing-queue",
      message: "has a dlq block and no queue block",
      hint: "channels keep nothing: dead letters are those of streams, which a queue block reads",
    });
  }
  if (consumer?.dlq?.stream === "") {
    problems.push({ code: "invalid-value", message: "has an empty stream in its dlq block" });
  }
  if (consumer?.claim_after !== undefined && queue === undefined) {
    problems.push({
      code: "unused-attribute",
      message: "has claim_after in its consumer block and no queue block",
      hint: "channels keep nothing that could be claimed",
    });
  }
  if (publisher?.max_length !== undefined && modeOf(options) === "channel") {
    problems.push({
      code: "unused-attribute",
      message: "has max_length in its publisher block and publishes to channels",
      hint: 'mode = "stream" publishes to streams',
    });
  }
  return problems;
}

function checkUrls(options: MqOptions): readonly CodedProblem[] {
  const { url: urls, sentinel, tls } = options;
  if (urls === undefined) {
    return sentinel === undefined ? [] : [{
      code: "missing-attribute",
      message: "has sentinel and no url",
      hint: `url is the list of the Sentinels: ["redis://host:26379", …]`,
    }];
  }
  if (sentinel === undefined && urls.length > 1) {
    return [invalidUrl(
      `has ${urls.length} urls and no sentinel`,
      'sentinel = "NAME" makes them a list of Sentinels, which know the server of that name',
    )];
  }
  for (const url of urls) {
    const problem = checkUrl(url);
    if (problem !== undefined) return [problem];
  }
  const parsed = urls.map((url) => new URL(url));
  if (new Set(parsed.map(({ protocol, pathname }) => protocol + pathname)).size > 1) {
    return [invalidUrl("has urls that differ in their scheme or database", "write them alike")];
  }
  const problems: CodedProblem[] = [];
  if (tls !== undefined && parsed[0].protocol !== "rediss:") {
    problems.push({
      code: "conflicting-attributes",
      attribute: "tls",
      message: "has tls and a redis:// url",
      hint: "write rediss://",
    });
  }
  // With Sentinels, the user and the password are the server's.
  const names = sentinel === undefined
    ? ["host", "port", "username", "password"] as const
    : ["host", "port"] as const;
  for (const name of names) {
    if (options[name] === undefined) continue;
    problems.push({
      code: "conflicting-attributes",
      attribute: name,
      message: `has a url and a ${name}`,
      hint: `leave it out: the url has all parts: ${EXAMPLE}`,
    });
  }
  return problems;
}

const EXAMPLE = "such as redis://user:password@host:6379/0";

function checkUrl(url: string): CodedProblem | undefined {
  const parsed = URL.canParse(url) ? new URL(url) : undefined;
  if (parsed === undefined || !/^rediss?:$/.test(parsed.protocol) || parsed.hostname === "") {
    return invalidUrl("has a url that is not a redis:// or rediss:// URL", EXAMPLE);
  }
  if (parsed.search !== "" || parsed.hash !== "") {
    return invalidUrl("has a url with parameters, which it does not take", EXAMPLE);
  }
  const parts = { username: parsed.username, password: parsed.password };
  const undecodable = Object.entries(parts).find(([, text]) => !isDecodable(text));
  if (undecodable !== undefined) {
    return invalidUrl(
      `has a url with a "%" in its ${undecodable[0]} that encodes no character`,
      "write %25 for a percent sign",
    );
  }
  if (!/^\/?\d{0,5}$/.test(parsed.pathname)) {
    return invalidUrl("has a url with a path that is not the number of a database", EXAMPLE);
  }
  return undefined;
}

function invalidUrl(message: string, hint: string): CodedProblem {
  return { code: "invalid-url", attribute: "url", message, hint };
}

/** Without a password, the server is not told the user. */
function checkUser(
  { url: urls, sentinel, username, password }: MqOptions,
): readonly CodedProblem[] {
  const parsed = urls?.filter((url) => URL.canParse(url)).map((url) => new URL(url)) ?? [];
  const inUrl = parsed.some((url) => url.username !== "" && url.password === "");
  const beside = (urls === undefined || sentinel !== undefined) && username !== undefined &&
    password === undefined;
  return !inUrl && !beside ? [] : [{
    code: "missing-attribute",
    message: `has a user${inUrl ? " in its url" : "name"} and no password`,
    hint: "a user who needs none takes any",
  }];
}

function checkOperation(
  operation: string | undefined,
  options: MqOptions,
): readonly CodedProblem[] {
  const { queue } = options;
  const attribute = "operation";
  if (operation === undefined) {
    return queue === undefined ? [] : [{
      code: "missing-operation",
      message: "needs an operation",
      hint: "the name of a stream; without the connector's queue block, channels are meant",
    }];
  }
  const message = whatIsWrong(operation, "an operation");
  if (message !== undefined) return [{ code: "invalid-operation", attribute, message }];
  if (queue === undefined) return [];
  if (/[*?[]/.test(operation)) {
    return [{
      code: "invalid-operation",
      attribute,
      message: "has a pattern, but streams have exact names",
      hint: "without the connector's queue block, operations are globs of channels",
    }];
  }
  return operation !== settle(options).deadLetters ? [] : [{
    code: "dead-letter-loop",
    attribute,
    message: "reads the dead letters of its own connector, which come back when they fail again",
    hint: "read them with another connector",
  }];
}

function checkTarget(
  target: string | Expression | undefined,
  options: MqOptions,
): readonly CodedProblem[] {
  if (target === undefined) {
    const hint = `the name of a ${modeOf(options)}`;
    return [{ code: "missing-target", message: "needs a target", hint }];
  }
  if (typeof target !== "string") return [];
  const message = whatIsWrong(target, "a target");
  return message === undefined ? [] : [{ code: "invalid-value", attribute: "target", message }];
}

function checkHeaders(options: MqOptions): readonly CodedProblem[] {
  return modeOf(options) === "stream" ? [] : [{
    code: "unused-attribute",
    attribute: "headers",
    message: "has headers, which a channel does not carry",
    hint: 'a stream does: mode = "stream" in the publisher block of the connector',
  }];
}

function whatIsWrong(name: string, what: string): string | undefined {
  if (name === "") return `has ${what} that is empty`;
  return isLongerThan(name, LONGEST_NAME)
    ? `has ${what} of more than ${LONGEST_NAME} bytes`
    : undefined;
}

function receives(
  operation: string | undefined,
  target: string,
  options: MqOptions,
  sender: MqOptions = options,
): boolean {
  const [mine, theirs] = [serverOf(options), serverOf(sender)];
  if (options.queue !== undefined) {
    return modeOf(sender) === "stream" && isSame(mine, theirs) && operation === target;
  }
  // All databases of a server have the same channels.
  return modeOf(sender) === "channel" && mine.server === theirs.server &&
    matches(subscriptionOf(operation), target);
}

/** Streams belong to a database. */
function isSame(one: ReturnType<typeof serverOf>, other: ReturnType<typeof serverOf>): boolean {
  return one.server === other.server && one.database === other.database;
}

function matches(subscription: string, channel: string): boolean {
  return isGlob(subscription) ? compileGlob(subscription)(channel) : subscription === channel;
}

function receivesDeadLetters(
  options: MqOptions,
  sender: MqOptions,
  operation: string | undefined,
): boolean {
  const { deadLetters } = settle(sender);
  return deadLetters !== undefined && options.queue !== undefined && operation === deadLetters &&
    isSame(serverOf(options), serverOf(sender));
}
