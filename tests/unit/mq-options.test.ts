import assert from "node:assert/strict";
import { test } from "node:test";
import { MessageEvent } from "../../src/messaging/mod.ts";
import { exchangeChecks } from "../../src/connectors/mq/exchanges.ts";
import { mqConnector } from "../../src/connectors/mq/mod.ts";
import { addressOf, describeAddress } from "../../src/connectors/mq/amqp-address.ts";
import { type MqOptions, settle } from "../../src/connectors/mq/options.ts";
import { NO_FILES } from "../../src/contract/tls-field.ts";
import { codeOf } from "../support/problems.ts";
import { makeMq } from "../support/mq.ts";

function options({ url, ...rest }: Record<string, unknown> = {}): MqOptions {
  return {
    driver: "rabbitmq",
    ...(url !== undefined && { url: [url].flat() }),
    ...rest,
  } as MqOptions;
}

function problems(rest: Record<string, unknown>): readonly string[] {
  return exchangeChecks.check(options(rest)).map((problem) =>
    problem.attribute === undefined ? codeOf(problem) : `${problem.attribute}: ${codeOf(problem)}`
  );
}

function operationProblems(operation: string | undefined, rest: Record<string, unknown>) {
  return mqConnector.source?.check?.(operation, options(rest)) ?? [];
}

function targetProblems(target: string | undefined, rest: Record<string, unknown>) {
  const to = { operation: undefined, target, options: {} };
  return mqConnector.destination?.check?.(to, options(rest)) ?? [];
}

const queue = { durable: true, exclusive: false, auto_delete: false };
const publisher = { persistent: true, confirms: true, mandatory: false };

test("a good configuration has no problem", () => {
  assert.deepEqual(problems({}), []);
  assert.deepEqual(problems({ url: "amqps://u:p@broker.example:5671/vhost" }), []);
  assert.deepEqual(problems({ host: "broker", port: 5672, tls: true }), []);
  assert.deepEqual(problems({ queue: { ...queue, name: "q" }, consumer: { queue: "q" } }), []);
  const dlq = { max_retries: 3, retry_delay: 1000 };
  assert.deepEqual(problems({ consumer: { queue: "q", dlq } }), []);
  assert.deepEqual(problems({ consumer: { dlq: { ...dlq, queue: "dead" } } }), []);
});

test("a url excludes the other attributes of an address", () => {
  for (const name of ["host", "port", "username", "password", "vhost", "tls"]) {
    assert.deepEqual(problems({ url: "amqp://broker", [name]: "x" }), [
      `${name}: conflicting-attributes`,
    ]);
  }
  // How a broker is verified is not in a url.
  assert.deepEqual(problems({ url: "amqps://broker", tls: { ca: "/ca.pem" } }), []);
});

test("a list of urls names the nodes of one cluster", () => {
  const nodes = ["amqps://u:p@a/v", "amqps://u:p@b:1234/v"];
  assert.deepEqual(problems({ url: nodes }), []);
  const cases = [
    ["amqps://u:p@b/other", "vhost"],
    ["amqps://u:secret@b/v", "password"],
    ["amqps://x:p@b/v", "username"],
    ["amqp://u:p@b/v", "protocol"],
    ["secret", "amqp:// or amqps:// URL"],
  ];
  for (const [url, part] of cases) {
    const [problem] = exchangeChecks.check(options({ url: [nodes[0], url] }));
    assert.deepEqual([problem.attribute, codeOf(problem)], ["url", "invalid-url"], url);
    assert.ok(problem.message.includes(part), problem.message);
    assert.doesNotMatch(problem.message, /secret/);
  }
  const { hosts } = addressOf(options({ url: nodes }));
  assert.deepEqual(hosts, [{ hostname: "a", port: 5671 }, { hostname: "b", port: 1234 }]);
  assert.equal(describeAddress(addressOf(options({ url: nodes }))), "a:5671, b:1234 (vhost v)");
});

test("a percent sign in a url encodes a character, or is a problem that does not show the url", () => {
  const cases = [
    ["amqp://u:100%sure@h", "password"],
    ["amqp://u:%@h", "password"],
    ["amqp://u:%ff@h", "password"],
    ["amqp://%zz:p@h", "username"],
    ["amqp://u:p@h/%e0%a4", "vhost"],
  ];
  for (const [url, part] of cases) {
    const [problem] = exchangeChecks.check(options({ url }));
    assert.deepEqual([problem.attribute, codeOf(problem)], ["url", "invalid-url"], url);
    assert.ok(problem.message.includes(part), problem.message);
  }
  assert.deepEqual(problems({ url: "amqp://u:100%25sure%F0%9F%98%80@h/%2f" }), []);
});

test("a url is an AMQP URL without parameters, and is not shown in the problem", () => {
  for (const url of ["http://u:secret@h", "amqp:", "secret", "", "amqp://", "amqp://h?secret=1"]) {
    const [problem] = exchangeChecks.check(options({ url }));
    assert.deepEqual([problem.attribute, codeOf(problem)], ["url", "invalid-url"]);
    assert.doesNotMatch(JSON.stringify(problem), /secret/);
  }
});

test("contradictions are problems", () => {
  const dlq = { max_retries: 3, retry_delay: 1000 };
  // They point at the block's header, so its message must name the part of it.
  const bad: readonly (readonly [Record<string, unknown>, code: string, part: string])[] = [
    [{ exchange: { type: "topic", durable: false } }, "missing-attribute", "exchange"],
    [{ queue }, "missing-queue", "queue block"],
    ...Object.entries({ durable: false, exclusive: true, auto_delete: true }).map(([name, value]) =>
      [
        { queue: { ...queue, name: "q", type: "quorum", [name]: value } },
        "conflicting-attributes",
        `${name} = ${value}`,
      ] as const
    ),
    [{ queue: { ...queue, name: "a" }, consumer: { queue: "b" } }, "conflicting-attributes", '"b"'],
    [{ consumer: { dlq } }, "missing-queue", "dlq block"],
    [
      { consumer: { queue: "q", dlq: { ...dlq, exchange: "amq.topic" } } },
      "dead-letter-loop",
      "dead letters",
    ],
    [
      { publisher: { ...publisher, confirms: false, mandatory: true } },
      "conflicting-attributes",
      "mandatory",
    ],
  ];
  for (const [rest, expected, part] of bad) {
    assert.deepEqual(problems(rest), [expected]);
    const [{ message }] = exchangeChecks.check(options(rest));
    assert.ok(message.includes(part), message);
  }
});

test("an unreadable driver hides no other problem", () => {
  const direct = { driver: undefined, exchange: { type: "direct", durable: true } };
  // Each driver has urls of its own.
  assert.deepEqual(mqConnector.check?.(options({ driver: undefined, url: "http://h" })), []);
  assert.equal(operationProblems("order.*", direct).length, 1);
  assert.equal(targetProblems(undefined, direct).length, 1);
  assert.equal(receives("order.*", "order.created", { driver: undefined }), true);
});

test("a direct exchange has no patterns", () => {
  const direct = { exchange: { type: "direct", durable: true } };
  assert.equal(operationProblems("order.*", direct).length, 1);
  assert.equal(operationProblems("order.created", direct).length, 0);
  assert.equal(operationProblems(undefined, direct).length, 1);
  assert.equal(operationProblems(undefined, { ...direct, consumer: { queue: "q" } }).length, 0);
  assert.equal(operationProblems("order.*", {}).length, 0);
  assert.equal(operationProblems(undefined, {}).length, 0);
  assert.equal(operationProblems("x".repeat(256), {}).length, 1);
});

test("a destination needs a target, unless all queues get everything", () => {
  const fanout = { exchange: { type: "fanout", durable: true } };
  assert.equal(targetProblems(undefined, {}).length, 1);
  assert.equal(targetProblems("a.b", {}).length, 0);
  assert.equal(targetProblems("a".repeat(256), {}).length, 1);
  assert.equal(targetProblems(undefined, fanout).length, 0);
  assert.equal(
    targetProblems(undefined, { ...fanout, publisher: { ...publisher, exchange: "" } }).length,
    1,
  );
});

/** Whether what is published to `target` reaches a flow on `operation`. */
function receives(operation: string | undefined, target: string, rest: Record<string, unknown>) {
  return mqConnector.source?.receives?.(operation, target, options(rest));
}

test("what is published is received where the exchange routes it", () => {
  const direct = { exchange: { type: "direct", durable: true } };
  const fanout = { exchange: { type: "fanout", durable: true } };
  const cases:
    readonly (readonly [string | undefined, string, Record<string, unknown>, boolean])[] = [
      ["order.*", "order.created", {}, true],
      ["order.*", "order.created.late", {}, false],
      ["order.#", "order", {}, true],
      [undefined, "anything", {}, true],
      [undefined, "", {}, true],
      ["a.b", "a.b", direct, true],
      ["a.b", "a.c", direct, false],
      [undefined, "a.b", direct, false],
      ["a.*", "a.b", fanout, true],
      ["a.*", "b.b", fanout, false],
      [undefined, "", fanout, true],
    ];
  for (const [operation, target, rest, expected] of cases) {
    const what = JSON.stringify([operation, target, rest]);
    assert.equal(receives(operation, target, rest), expected, what);
  }
});

test("what goes to another exchange does not come back; straight to the own queue it does", () => {
  const elsewhere = { publisher: { ...publisher, exchange: "other" } };
  assert.equal(receives("#", "k", elsewhere), false);
  assert.equal(receives(undefined, "k", elsewhere), false);
  const straight = { publisher: { ...publisher, exchange: "" } };
  assert.equal(receives(undefined, "work", straight), false);
  const own = { ...straight, queue: { ...queue, name: "work" } };
  assert.equal(receives(undefined, "work", own), true);
  assert.equal(receives("work", "work", own), true);
  assert.equal(receives("order.*", "work", own), false);
  assert.equal(receives(undefined, "other", own), false);
});

test("only the memory broker has no other publishers", () => {
  assert.equal(mqConnector.source?.internal?.(options()), false);
  assert.equal(mqConnector.source?.internal?.(options({ driver: "memory" })), true);
});

test("its messages can be settled, and their metadata is what events have", () => {
  const { source } = mqConnector;
  assert.equal(source?.kind, "messages");
  const metadata = { headers: {}, routing_key: "k", exchange: "e", properties: {} };
  const message = { key: "k", body: null, metadata };
  assert.deepEqual(exchangeChecks.metadata, Object.keys(new MessageEvent(message).input));
  const missing = exchangeChecks.metadata.filter((name) => !source?.metadata?.includes(name));
  assert.deepEqual(missing, []);
});

test("under test the memory broker plays the driver, all else the same", async () => {
  const dlq = { queue: "dead", max_retries: 1, retry_delay: 5 };
  const given = { url: "amqp://u:p@h", exchange: { name: "e", type: "direct" }, consumer: { dlq } };
  const made = mqConnector.test?.(options(given)) as MqOptions;
  assert.deepEqual(made, { ...options(given), played: true });
  assert.deepEqual(settle(made), settle(options(given)));
  const { connector } = await makeMq({ ...made });
  // RabbitMQ counts no messages that are queued, and would be asked for.
  assert.equal(connector.counts().queued, 0);
  assert.equal(connector.probe, undefined);
  await connector.close();
});

test("defaults are those of the documentation", () => {
  assert.deepEqual(settle(options()), {
    exchange: { name: "amq.topic", type: "topic", durable: true },
    queue: undefined,
    consumer: { prefetch: 10, maxRetries: 2, retryDelay: 1000, deadLetters: undefined },
    publisher: { exchange: "amq.topic", persistent: true, confirms: true, mandatory: false },
  });
  const dlq = { max_retries: 3, retry_delay: 1000 };
  assert.deepEqual(settle(options({ consumer: { queue: "q", prefetch: 5, dlq } })).consumer, {
    prefetch: 5,
    maxRetries: 3,
    retryDelay: 1000,
    deadLetters: { exchange: "", queue: "q.dlq" },
  });
});

test("an address comes from the url or from its parts, and is shown without the password", () => {
  const url = "amqps://user%40x:p%2Fw@[::1]/v%2Fh";
  const fromUrl = addressOf(options({ url }));
  assert.deepEqual(fromUrl, {
    hosts: [{ hostname: "::1", port: 5671 }],
    username: "user@x",
    password: "p/w",
    vhost: "v/h",
    tls: NO_FILES,
  });
  assert.equal(describeAddress(fromUrl), "::1:5671 (vhost v/h)");
  const guest = { username: "guest", password: "guest", vhost: "/", tls: undefined };
  const local = [{ hostname: "localhost", port: 5672 }];
  assert.deepEqual(addressOf(options()), { hosts: local, ...guest });
  const hosts = [{ hostname: "h", port: 1 }];
  assert.deepEqual(addressOf(options({ url: "amqp://h:1" })), { hosts, ...guest });
  assert.equal(addressOf(options({ tls: NO_FILES })).hosts[0].port, 5671);
});
