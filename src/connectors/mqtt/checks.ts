/** Checks of a configuration, before anything connects. */
import type { CodedProblem, Destination } from "../../contract/definition.ts";
import { quoted } from "../../base/shown.ts";
import { isDecodable } from "../../base/text.ts";
import { compileLevels, filterProblem, readFilter, topicProblem } from "./filters.ts";
import { type MqttDestination, type MqttOptions, PORTS } from "./options.ts";

const EXAMPLE = "such as mqtt://host:1883";

/** Checks a whole `connector` block. */
export function checkOptions(options: MqttOptions): readonly CodedProblem[] {
  return [...checkUrl(options), ...checkIdentity(options), ...checkTopics(options)];
}

function checkUrl({ url, ...rest }: MqttOptions): readonly CodedProblem[] {
  const invalid = (what: string, hint = EXAMPLE): readonly CodedProblem[] => [
    { code: "invalid-url", attribute: "url", message: `has a url ${what}`, hint },
  ];
  const parsed = URL.canParse(url) ? new URL(url) : undefined;
  if (parsed === undefined || !(parsed.protocol in PORTS) || parsed.hostname === "") {
    return invalid("that is not an mqtt://, mqtts://, ws:// or wss:// URL");
  }
  const { protocol, username, password, pathname, search, hash } = parsed;
  const isWebSocket = protocol.startsWith("ws");
  if (hash !== "") return invalid("with a #, which it does not take");
  if (!isWebSocket && !["", "/"].includes(pathname)) {
    return invalid("with a path, which only ws:// and wss:// take");
  }
  if (!isWebSocket && search !== "") {
    return invalid("with parameters, which only ws:// and wss:// take");
  }
  const parts = Object.entries({ username, password });
  const undecodable = parts.find(([, text]) => !isDecodable(text));
  if (undecodable !== undefined) {
    const what = `with a "%" in its ${undecodable[0]} that encodes no character`;
    return invalid(what, "write %25 for a percent sign");
  }
  const twice = parts.filter(([name, text]) =>
    text !== "" && rest[name as "username" | "password"] !== undefined
  );
  return twice.map(([name]) => ({
    code: "conflicting-attributes",
    attribute: name,
    message: `has a ${name}, and another one in its url`,
    hint: "keep one of them",
  }));
}

function checkIdentity(options: MqttOptions): readonly CodedProblem[] {
  const { client_id, username, password, protocol, clean, session_expiry, url } = options;
  const problems: CodedProblem[] = [];
  if (client_id !== undefined && (client_id === "" || CONTROL.test(client_id))) {
    problems.push({
      code: "invalid-value",
      attribute: "client_id",
      message: "has a client_id that is empty or has control characters",
    });
  }
  if (!clean && client_id === undefined) {
    problems.push({
      code: "missing-attribute",
      attribute: "clean",
      message: "needs a client_id with clean = false",
      hint: "the broker finds the session by it: each instance needs one of its own that stays",
    });
  }
  if (session_expiry !== undefined && (clean || protocol === 4)) {
    problems.push({
      code: "conflicting-attributes",
      attribute: "session_expiry",
      message: clean
        ? "has a session_expiry, but its sessions end with each connection"
        : "has a session_expiry, which protocol 4 cannot say",
      hint: clean ? "it needs clean = false" : "the broker's own settings decide there",
    });
  }
  const named = username !== undefined || (URL.canParse(url) && new URL(url).username !== "");
  if (password !== undefined && !named && protocol === 4) {
    problems.push({
      code: "missing-attribute",
      attribute: "password",
      message: "needs a username with its password in protocol 4",
    });
  }
  return problems;
}

function checkTopics({ will, consumer }: MqttOptions): readonly CodedProblem[] {
  const named = { will: will?.topic, "consumer.dlq": consumer?.dlq?.topic };
  return Object.entries(named).flatMap(([block, topic]): CodedProblem[] => {
    const problem = topic === undefined ? undefined : topicProblem(topic);
    if (problem === undefined) return [];
    const message = `has a topic in its ${block.replace("consumer.", "")} block that ${problem}`;
    return [{ code: "invalid-value", attribute: `${block}.topic`, message }];
  });
}

/** Checks the `operation` of a `from` block. */
export function checkOperation(
  operation: string | undefined,
  { consumer }: Pick<MqttOptions, "consumer">,
): readonly CodedProblem[] {
  const place = operation !== undefined && { attribute: "operation" };
  const problem = operation === undefined ? undefined : filterProblem(operation);
  if (problem !== undefined) {
    return [{ code: "invalid-operation", ...place, message: `has an operation that ${problem}` }];
  }
  const topic = consumer?.dlq?.topic;
  if (topic === undefined || !compileLevels(readFilter(operation).levels)(topic)) return [];
  return [{
    code: "dead-letter-loop",
    ...place,
    message: `takes the dead letters of its own connector, ${quoted(topic)}`,
    hint: "name a topic in the dlq block that no filter of the connector matches",
  }];
}

/** Checks a `to` block. */
export function checkDestination(
  { target, options: { headers } }: Destination<MqttDestination>,
  { protocol }: Pick<MqttOptions, "protocol">,
): readonly CodedProblem[] {
  if (headers !== undefined && protocol === 4) {
    const message = "has headers, which protocol 4 does not carry";
    return [{ code: "unused-attribute", attribute: "headers", message }];
  }
  if (target === undefined) {
    const message = "needs a target";
    return [{ code: "missing-target", message, hint: "the topic of the message" }];
  }
  const problem = typeof target === "string" ? topicProblem(target) : undefined;
  if (problem === undefined) return [];
  const message = `has a target that ${problem}`;
  return [{ code: "invalid-value", attribute: "target", message }];
}

// deno-lint-ignore no-control-regex -- these are what it looks for
const CONTROL = /[\0-\x1f\x7f]/;
