import assert from "node:assert/strict";
import { JetStreamApiError } from "@nats-io/jetstream";
import { test } from "node:test";
import type { PeerCertificate } from "node:tls";
import { ConfigError, loadConfig } from "../../mod.ts";
import { natsChecks } from "../../src/connectors/mq/drivers/nats/checks.ts";
import { coveringSubjects } from "../../src/connectors/mq/drivers/nats/filters.ts";
import { RefusedError } from "../../src/connectors/mq/drivers/nats/errors.ts";
import { identityCheck } from "../../src/connectors/mq/drivers/nats/identity.ts";
import { settle } from "../../src/connectors/mq/drivers/nats/settings.ts";
import {
  compileSubject,
  subjectCovers,
  subjectsMeet,
} from "../../src/connectors/mq/drivers/nats/subjects.ts";
import { judged } from "../../src/connectors/mq/drivers/nats/topology.ts";
import type { MqOptions } from "../../src/connectors/mq/options.ts";
import type { CodedProblem } from "../../src/contract/definition.ts";
import { codeOf } from "../support/problems.ts";
import { seeded } from "../support/random.ts";

type Given = Readonly<Record<string, unknown>>;

function options(rest: Given = {}): MqOptions {
  return { driver: "nats", ...rest } as unknown as MqOptions;
}

function shown(problems: readonly CodedProblem[]): readonly string[] {
  return problems.map((problem) => `${problem.attribute ?? ""}: ${codeOf(problem)}`);
}

const dlq = { max_retries: 3, retry_delay: 1000 };
const stream = { name: "S", subjects: ["orders.>"] };
const seed = `SU${"A".repeat(56)}`;

test("a good configuration has no problem", () => {
  const good: readonly Given[] = [
    {},
    { host: "broker", port: 4222, user: "u", password: "p" },
    { url: ["nats://a", "tls://b:4443/"], tls: { ca: "/ca.pem" } },
    { url: ["nats://u:p@a", "nats://u:p@[::1]:4222"] },
    { url: ["nats://token@a"] },
    { nkey: seed },
    { stream },
    { stream: { name: "S" }, queue: { name: "workers" }, consumer: { dlq } },
    { queue: { name: "a.b" }, consumer: { dlq: { ...dlq, subject: "dead.letters" } } },
  ];
  for (const rest of good) assert.deepEqual(natsChecks.check(options(rest)), []);
});

test("contradictions are problems, and show no url and no secret", () => {
  const bad: readonly (readonly [Given, ...string[]])[] = [
    [{ url: ["http://u:secret@h"] }, "url: invalid-url"],
    [{ url: ["nats://h/secret"] }, "url: invalid-url"],
    [{ url: ["nats://u:secret%@h"] }, "url: invalid-url"],
    [{ url: ["nats://h", "secret"] }, "url: invalid-url"],
    [{ url: ["nats://h?secret=1"] }, "url: invalid-url"],
    [{ url: ["nats://secret@a", "nats://b"] }, "url: conflicting-attributes"],
    [
      { url: ["nats://a"], host: "b", port: 1 },
      "host: conflicting-attributes",
      "port: conflicting-attributes",
    ],
    [{ url: ["nats://u:secret@a"], token: "secret" }, "token: conflicting-attributes"],
    [{ user: "u", password: "secret", creds: "/c" }, "creds: conflicting-attributes"],
    [{ password: "secret" }, "password: missing-attribute"],
    [{ user: "u" }, "user: missing-attribute"],
    [{ nkey: "secret" }, "nkey: invalid-value"],
    [{ stream: { name: "a.b" } }, "stream.name: invalid-value"],
    [{ stream: { name: "S", subjects: ["a b"] } }, "stream.subjects: invalid-value"],
    [{ stream: { name: "S", subjects: ["a.#"] } }, "stream.subjects: invalid-value"],
    [{ stream: { name: "S", subjects: ["a.*", "*.b"] } }, "stream.subjects: invalid-value"],
    [{ queue: {} }, "queue: missing-queue"],
    [{ stream, queue: {} }, "queue: missing-queue"],
    [{ stream, queue: { name: "a.b" } }, "queue.name: invalid-value"],
    [{ queue: { name: "a b" } }, "queue.name: invalid-value"],
    [{ stream, consumer: { dlq } }, "consumer.dlq: missing-queue"],
    [
      { queue: { name: "q" }, consumer: { dlq: { ...dlq, subject: "a.*" } } },
      "consumer.dlq.subject: invalid-value",
    ],
  ];
  for (const [rest, ...expected] of bad) {
    const problems = natsChecks.check(options(rest));
    assert.deepEqual(shown(problems), expected, JSON.stringify(rest));
    assert.doesNotMatch(JSON.stringify(problems), /secret/);
  }
});

test("an attribute of another driver is a problem that names the driver", async () => {
  const found = async (body: string) => {
    const text = `connector "events" {\ntype = "mq"\n${body}\n}\n`;
    try {
      await loadConfig(text);
      return [];
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error;
      return error.problems.map((problem) => `${problem.line}: ${codeOf(problem)}`);
    }
  };
  assert.deepEqual(await found('driver = "nats"\nexchange {\nname = "x"\n}'), [
    "4: unused-attribute",
  ]);
  assert.deepEqual(await found('driver = "nats"\nqueue {\nname = "q"\ndurable = true\n}'), [
    "6: unused-attribute",
  ]);
  assert.deepEqual(await found('driver = "memory"\nstream {\nname = "S"\n}\ntoken = "t"'), [
    "4: unused-attribute",
    "7: unused-attribute",
  ]);
});

test("an operation is a subject of the stream, and not the one of its own dead letters", () => {
  const queue = { name: "workers" };
  const consumer = { dlq };
  const cases: readonly (readonly [string | undefined, Given, ...string[]])[] = [
    ["orders.*", {}],
    [">", {}],
    [undefined, {}],
    [undefined, { stream: { name: "S" }, queue }],
    ["*.new", { stream, queue, consumer }],
    ["orders..new", {}, "operation: invalid-operation"],
    ["orders.>.x", {}, "operation: invalid-operation"],
    ["x".repeat(1025), {}, "operation: invalid-operation"],
    ["orders.new", { stream }, ": missing-queue"],
    ["orders.new", { stream, queue: {} }],
    ["orders.{id}.x", {}, "operation: invalid-operation"],
    ["orders/x/#", {}, "operation: invalid-operation"],
    ["orders.+.x", {}, "operation: invalid-operation"],
    ["o*s.x", {}, "operation: invalid-operation"],
    ["orders.x>", {}, "operation: invalid-operation"],
    ["orders.a#b.{x", {}],
    ["users.new", { stream, queue }, "operation: invalid-operation"],
    ["workers.*", { queue, consumer }, "operation: dead-letter-loop"],
    [undefined, { queue, consumer }, ": dead-letter-loop"],
    [undefined, { stream, queue, consumer }],
    [undefined, { stream: { name: "S", subjects: [">"] }, queue, consumer }, ": dead-letter-loop"],
  ];
  for (const [operation, rest, ...expected] of cases) {
    const problems = natsChecks.checkOperation(operation, options(rest));
    assert.deepEqual(shown(problems), expected, `${operation} ${JSON.stringify(rest)}`);
  }
});

test("a target is a subject without wildcards", () => {
  const problems = (target: string | undefined) => shown(natsChecks.checkTarget(target, options()));
  assert.deepEqual(problems("orders.new"), []);
  assert.deepEqual(problems("naïve.*x"), [], "a wildcard is a whole word");
  assert.deepEqual(problems(undefined), [": missing-target"]);
  for (const target of ["a b", "a.*", "a.>", ".a", "a.", "", "x".repeat(1025)]) {
    assert.deepEqual(problems(target), ["target: invalid-value"], target);
  }
});

test("flows get what they ask for, and a wildcard asks for nothing of NATS itself", () => {
  const queue = { name: "q" };
  const takes = (operation: string | undefined, key: string, rest: Given = { queue }) =>
    natsChecks.matcher(operation, options(rest))(key);
  assert.ok(takes("a.*", "a.b"));
  assert.ok(takes(undefined, "a.b"));
  for (const subject of ["_INBOX.x.1", "$JS.API.INFO"]) {
    assert.ok(!takes(undefined, subject) && !takes("*.>", subject));
    assert.ok(takes(subject, subject) && takes(`${subject.slice(0, 3)}*.>`, subject) === false);
  }
  // Without a queue the key is the subscription that the server has delivered for.
  assert.ok(takes("a.*", "a.*", {}) && !takes("a.*", "a.b", {}) && takes(undefined, ">", {}));
});

test("who hears of a publish is known", () => {
  const receives = (operation: string | undefined, target: string, rest: Given, sender?: Given) =>
    natsChecks.receives(operation, target, options(rest), sender && options(sender));
  assert.ok(receives("a.*", "a.b", {}));
  assert.ok(!receives("a.*", "b.b", {}));
  assert.ok(!receives("*.b", "a.b", { stream, queue: { name: "q" } }), "the stream lacks it");
  assert.ok(receives("a.b", "a.b", {}, { url: ["nats://localhost"] }));
  assert.ok(!receives("a.b", "a.b", {}, { host: "elsewhere" }));
  const dead = (rest: Given, sender: Given) =>
    natsChecks.receivesDeadLetters(options(rest), options(sender), undefined);
  const sender = { stream, queue: { name: "q" }, consumer: { dlq } };
  assert.ok(dead({}, sender));
  assert.ok(dead({ stream: { name: "S_DLQ", subjects: ["q.dlq"] } }, sender));
  assert.ok(!dead(sender, sender));
  assert.ok(!dead({}, { stream, queue: { name: "q" } }), "there is no dlq block");
});

test("urls and attributes say the same", () => {
  const read = (rest: Given) => {
    const { servers, tls, login } = settle(options(rest));
    return { servers, tls: tls !== undefined, login };
  };
  assert.deepEqual(read({}), { servers: ["localhost:4222"], tls: false, login: undefined });
  assert.deepEqual(read({ host: "::1", port: 1 }).servers, ["[::1]:1"]);
  assert.deepEqual(read({ url: ["tls://u%40:p%2F@[::1]", "tls://u%40:p%2F@b:1"] }), {
    servers: ["[::1]:4222", "b:1"],
    tls: true,
    login: { kind: "user", user: "u@", password: "p/" },
  });
  assert.deepEqual(read({ url: ["nats://t%3A@h"] }).login, { kind: "token", token: "t:" });
  const deadLetters = (rest: Given) => settle(options({ consumer: { dlq }, ...rest })).deadLetters;
  assert.deepEqual(deadLetters({ stream, queue: { name: "q" } }), {
    subject: "q.dlq",
    stream: "S_DLQ",
  });
  assert.deepEqual(deadLetters({ queue: { name: "a.b" } })?.stream, "a_b_DLQ");
});

test("covering subjects do not overlap, and match all that the operations do", () => {
  assert.deepEqual(coveringSubjects(["a.x", "a.*", "b"]), ["a.*", "b"]);
  assert.deepEqual(coveringSubjects(["a.*", "*.b"]), ["*.*"]);
  assert.deepEqual(coveringSubjects(["a.>", "*.b"]), ["*.>"]);
  assert.deepEqual(coveringSubjects(["a.*", "c.d", "*.b"]), ["*.*"], "the wider one takes c.d in");
  const random = seeded(4);
  const tokens = ["a", "b", "*"];
  const pattern = () => {
    const words = Array.from({ length: 1 + random.below(4) }, () => random.pick(tokens));
    return random.chance(0.3) ? [...words, ">"].join(".") : words.join(".");
  };
  for (let n = 0; n < 2000; n++) {
    const patterns = Array.from({ length: 1 + random.below(5) }, pattern);
    const covering = coveringSubjects(patterns);
    const said = `${patterns} → ${covering}`;
    assert.ok(
      covering.every((one, i) => covering.slice(0, i).every((two) => !subjectsMeet(one, two))),
      said,
    );
    assert.ok(patterns.every((inner) => covering.some((one) => subjectCovers(one, inner))), said);
    assert.deepEqual(coveringSubjects(patterns.toReversed()).length > 0, true);
    const subject = pattern().replaceAll("*", "a").replace(">", "b.c");
    if (patterns.some((one) => compileSubject(one)(subject))) {
      assert.equal(covering.filter((one) => compileSubject(one)(subject)).length, 1, said);
    }
  }
});

test("a certificate must have the name of the server that is asked for, or its address", () => {
  const certificate = (subjectaltname: string) =>
    ({ subject: { CN: "x" }, subjectaltname }) as PeerCertificate;
  const accepted = (servers: readonly string[], asked: string, names: string, name?: string) =>
    identityCheck(name, servers)(asked, certificate(names)) === undefined;
  assert.ok(accepted(["a.example:4222"], "a.example", "DNS:a.example"));
  assert.ok(!accepted(["a.example:4222"], "a.example", "DNS:b.example"));
  // A server that others of the cluster have told of.
  assert.ok(accepted(["a.example:4222"], "b.example", "DNS:b.example"));
  // Some runtimes ask for "localhost" where they connect to an address.
  assert.ok(!accepted(["192.0.2.1:4222"], "localhost", "DNS:localhost"));
  assert.ok(accepted(["192.0.2.1:4222", "192.0.2.2:4222"], "localhost", "IP Address:192.0.2.2"));
  assert.ok(accepted(["[2001:db8::1]:4222"], "2001:db8::1", "IP Address:2001:DB8:0:0:0:0:0:1"));
  assert.ok(accepted(["192.0.2.1:4222"], "localhost", "DNS:c.example", "c.example"));
  assert.ok(!accepted(["a.example:4222"], "a.example", "DNS:a.example", "c.example"));
});

test("a cluster that lacks servers, or elects, ends no start", () => {
  const isFinal = (code: number, err_code: number) =>
    judged(new JetStreamApiError({ code, err_code, description: "words" }), true) instanceof
      RefusedError;
  // Subjects of another stream; replicas without a cluster.
  assert.deepEqual([isFinal(400, 10065), isFinal(500, 10074)], [true, true]);
  // No peers for the replicas, no leader, not available.
  assert.deepEqual(
    [isFinal(400, 10005), isFinal(500, 10009), isFinal(503, 10008)],
    Array(3).fill(false),
  );
});
