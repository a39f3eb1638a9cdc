import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { execFile } from "node:child_process";
import { test } from "node:test";
import { promisify } from "node:util";
import { ConnectorError } from "../../src/base/errors.ts";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import type { FlowEvent } from "../../src/contract/connector.ts";
import { PASSWORD } from "../support/own-server.ts";
import { failure, flow, type LogLine, until } from "../support/mq.ts";
import { refusingBroker } from "../support/mqtt-refusing.ts";
import { MosquittoServer, SHARED_MQTT } from "../support/mosquitto.ts";
import { MqttBench, send, shut } from "../support/mqtt.ts";
import { Proxy } from "../support/proxy.ts";
import { serviceTest } from "../support/services.ts";
import { twoWorkers } from "../../src/testing/suite/cluster.ts";

async function bench(name: string, run: (bench: MqttBench) => Promise<void>): Promise<void> {
  await serviceTest("mosquitto", name, async () => {
    const made = new MqttBench(SHARED_MQTT);
    try {
      await run(made);
    } finally {
      await made.end();
    }
  });
}

/** With a broker of the test's own. */
async function own(
  name: string,
  options: Parameters<typeof MosquittoServer.open>[0],
  run: (bench: MqttBench, server: MosquittoServer) => Promise<void>,
): Promise<void> {
  await serviceTest("mosquitto-server", name, async () => {
    const server = await MosquittoServer.open(options);
    const made = new MqttBench(server.url);
    try {
      await run(made, server);
    } finally {
      await made.end();
      await server.end();
    }
  });
}

/** Refuses, and says how it ended. */
async function refusal(start: Promise<unknown>): Promise<ConnectorError> {
  const error = await start.then(() => undefined, (error) => error);
  assert.ok(error instanceof ConnectorError, String(error));
  return error;
}

const VERSIONS = [5, 4] as const;

/** What expressions see of an event. */
function seen({ input, payload, match }: FlowEvent): unknown {
  const { _topic, _qos, _retained } = input;
  return { _topic, _qos, _retained, payload, ...(match !== undefined && { match }) };
}

async function everyWay(bench: MqttBench, urls: readonly string[], tls: string): Promise<void> {
  for (const url of urls) {
    for (const protocol of VERSIONS) {
      const events: FlowEvent[] = [];
      const secure = /^(?:mqtts|wss):/.test(url);
      const body = `protocol = ${protocol}\nqos = 2\n${secure ? tls : ""}`;
      const { connector, log } = await bench.consume(
        body,
        { "{room}/+": (e) => events.push(e) },
        url,
      );
      for (const qos of [0, 1, 2]) {
        await connector.write(send(bench.below(`Küche ${qos}/°C`), { qos, _qos: "mine" }, { qos }));
      }
      await until(`three events by ${url} and protocol ${protocol}`, () => events.length === 3);
      assert.deepEqual(
        events.map(seen),
        [0, 1, 2].map((qos) => ({
          _topic: bench.below(`Küche ${qos}/°C`),
          _qos: qos,
          _retained: false,
          payload: { qos, _qos: "mine" },
          match: { room: `Küche ${qos}` },
        })),
      );
      assert.deepEqual(events[0].input.body, { qos: 0, _qos: "mine" });
      assert.equal(events[0].input.qos, 0);
      const { published, acked, gaps } = connector.counts();
      assert.deepEqual({ published, acked, gaps }, { published: 3, acked: 3, gaps: 0 });
      assert.equal(connector.health(), undefined);
      await shut(connector);
      assert.deepEqual(log, []);
    }
  }
}

await own(
  "QoS 0, 1 and 2 go out and in by TCP and WebSocket, with MQTT 5 and 3.1.1",
  { websocket: true },
  async (bench, { url, websocketUrl }) => {
    await everyWay(bench, [url, `${websocketUrl}/mqtt`], "");
  },
);

await own(
  "the same with TLS and a certificate of the client; what is not trusted is refused for good",
  { websocket: true, tls: "clients" },
  async (bench, { url, websocketUrl, tls }) => {
    assert.ok(tls !== undefined && websocketUrl !== undefined);
    const { authority, client, server } = tls;
    const shown = `cert = "${client.cert}"\nkey = "${client.key}"`;
    await everyWay(bench, [url, websocketUrl], `tls {\nca = "${authority.ca}"\n${shown}\n}`);
    for (const address of [url, websocketUrl]) {
      const untrusted = await bench.make(`tls {\n${shown}\n}`, address);
      const error = await refusal(untrusted.connector.start());
      assert.ok(error.permanent, address);
      assert.match(error.message, /^connector "devices": cannot start: /);
      const trust = `ca = "${authority.ca}"`;
      const named = await bench.make(
        `tls {\n${trust}\n${shown}\nserver_name = "other.example"\n}`,
        address,
      );
      assert.ok((await refusal(named.connector.start())).permanent, `${address}, another name`);
    }
    const missing = await bench.make(`tls {\nca = "${server.cert}.missing"\n}`);
    assert.match((await refusal(missing.connector.start())).message, /cannot read the file/);
  },
);

await bench(
  "a message is acknowledged when its flows have ended, and not before",
  async (bench) => {
    for (const protocol of VERSIONS) {
      const session = `
      protocol  = ${protocol}
      client_id = "weir-${crypto.randomUUID()}"
      clean     = false
      qos       = 2
    `;
      const topics = ["one", "two"].map((name) => bench.below(`${protocol}/${name}`));
      const never = Promise.withResolvers<void>();
      const first: unknown[] = [];
      const one = await bench.consume(session, {
        [`${protocol}/#`]: (event) => {
          first.push(event.payload);
          return event.payload === 2 ? never.promise : undefined;
        },
      });
      const other = await bench.client();
      await other.publishAsync(topics[0], "1", { qos: 1 });
      await other.publishAsync(topics[0], "2", { qos: 1 });
      await other.publishAsync(topics[1], "2", { qos: 2 });
      await until("three events", () => first.length === 3);
      assert.equal(one.connector.counts().acked, 1);
      // As a process that ends: what it has at work is not waited for.
      await one.connector.close();
      await other.publishAsync(topics[1], "3", { qos: 2 });
      const second: unknown[] = [];
      const two = await bench.consume(session, {
        [`${protocol}/#`]: (event) => second.push([event.payload, event.input._qos]),
      });
      await until("what was not acknowledged", () => second.length === 3);
      assert.deepEqual(second, [[2, 1], [2, 2], [3, 2]]);
      await shut(two.connector);
      const third: unknown[] = [];
      const three = await bench.consume(session, { [`${protocol}/#`]: () => third.push(1) });
      await other.publishAsync(topics[0], "4", { qos: 1 });
      await until("the next one", () => third.length === 1);
      assert.equal(three.connector.counts().consumed, 1, "nothing else was left");
      never.resolve();
    }
  },
);

await bench("several flows at once, each message acknowledged in its turn", async (bench) => {
  const gates = Array.from({ length: 4 }, () => Promise.withResolvers<void>());
  const started: unknown[] = [];
  const { connector } = await bench.consume("consumer {\nprefetch = 3\n}", {
    "#": ({ payload }) => {
      started.push(payload);
      return gates[payload as number].promise;
    },
  });
  // All of them wait for the connection that the first one has opened.
  await Promise.all([...gates.keys()].map((n) => connector.write(send(bench.below("x"), n))));
  await until("three at work", () => started.length === 3);
  gates[1].resolve();
  await until("the fourth", () => started.length === 4);
  assert.deepEqual(started, [0, 1, 2, 3]);
  for (const gate of gates) gate.resolve();
  await until("all", () => connector.counts().acked === 4);
});

await bench("what fails is repeated, then given up; the next ones pass", async (bench) => {
  const settings = 'consumer {\ndlq {\ntopic = "%"\nmax_retries = 2\nretry_delay = "20ms"\n}\n}';
  for (const protocol of VERSIONS) {
    const tries: unknown[] = [];
    let seen: unknown;
    const dead = await bench.hear(`dead${protocol}`);
    const body = `protocol = ${protocol}\n${settings.replace("%", bench.below(`dead${protocol}`))}`;
    const { connector, log } = await bench.consume(body, {
      "in/+": ({ payload, input }) => {
        tries.push(payload);
        if (payload === "bad 1") seen = input.headers;
        if (payload === "good") return;
        throw failure(input._topic === bench.below("in/final"));
      },
    });
    const other = await bench.client();
    for (const qos of [0, 1, 2] as const) {
      const properties = { userProperties: { kind: ["a", "b"] } };
      await other.publishAsync(bench.below("in/bad"), `"bad ${qos}"`, { qos, properties });
    }
    await other.publishAsync(bench.below("in/bad"), Buffer.from([0xff, 0x00]), { qos: 1 });
    await other.publishAsync(bench.below("in/final"), '"final"', { qos: 1 });
    await other.publishAsync(bench.below("in/x"), '"good"', { qos: 1 });
    await until("five dead letters", () => dead.length === 5);
    await until("they are counted", () => connector.counts().dead_lettered === 5);
    for (const text of ["bad 0", "bad 1"]) {
      assert.equal(tries.filter((one) => one === text).length, 3, text);
    }
    assert.equal(tries.filter((one) => one === "final").length, 1);
    assert.equal(tries.filter((one) => one === "good").length, 1);
    const letter = dead.find(({ text }) => text === '"bad 1"');
    const { "x-weir-time": time, "x-weir-reason": reason, ...headers } = letter?.headers ?? {};
    assert.deepEqual(seen, protocol === 5 ? { kind: ["a", "b"] } : {});
    if (protocol === 5) {
      assert.deepEqual({ ...headers }, {
        kind: ["a", "b"],
        "x-weir-routing-key": bench.below("in/bad"),
        "x-weir-flow": "test",
        "x-weir-retries": "2",
      });
      assert.match(String(reason), /flow_failed/);
      assert.ok(!Number.isNaN(Date.parse(String(time))));
    } else assert.deepEqual(letter?.headers, {});
    const { dead_lettered, acked, retried, waiting } = connector.counts();
    assert.deepEqual({ dead_lettered, acked, retried, waiting }, {
      dead_lettered: 5,
      acked: 1,
      retried: 6,
      waiting: 0,
    });
    assert.ok(log.some(([level, text]) => level === "error" && text.includes("dead-letter topic")));
    await shut(connector);
  }
});

await bench("without dead letters it is discarded, counted and logged", async (bench) => {
  const { connector, log } = await bench.consume("", { "#": () => {} });
  const other = await bench.client();
  for (const text of ["", "{", "ON", "[".repeat(70) + "]".repeat(70)]) {
    await other.publishAsync(bench.below("x"), text, { qos: 1 });
  }
  await connector.write(send(bench.below("x"), null));
  await until("all", () => connector.counts().consumed === 5);
  const { discarded, acked } = connector.counts();
  assert.deepEqual({ discarded, acked }, { discarded: 4, acked: 1 });
  assert.equal(log.filter(([, text]) => /was discarded: its body/.test(text)).length, 4);
});

await bench("text is passed on as it is, in both directions", async (bench) => {
  const got = await bench.hear("out/#");
  const events: FlowEvent[] = [];
  const { connector, log } = await bench.consume('format = "text"', {
    "in/#": (event) => events.push(event),
  });
  const other = await bench.client();
  const texts = ["ON", "21.5 °C", "", '{"a":1}', "a\0b"];
  for (const text of texts) await other.publishAsync(bench.below("in/x"), text, { qos: 1 });
  await other.publishAsync(bench.below("in/x"), Buffer.from([0xc3, 0x28]), { qos: 1 });
  await until("the last one", () => connector.counts().consumed === 6);
  assert.deepEqual(events.map(({ payload }) => payload), texts);
  assert.deepEqual(events.map(({ input }) => input.body), texts);
  assert.ok(log.some(([, text]) => text.includes("is not text in UTF-8")));
  for (const payload of ["OFF", "", 21.5, true, { a: 1 }]) {
    await connector.write(send(bench.below("out/x"), payload));
  }
  await until("five messages", () => got.length === 5);
  assert.deepEqual(got.map(({ text }) => text), ["OFF", "", "21.5", "true", '{"a":1}']);
});

await bench(
  "each flow gets a message once, however many subscriptions it matches",
  async (bench) => {
    for (const protocol of VERSIONS) {
      const seenBy = new Map<string, unknown[]>();
      const names = ["#", "a/+/c", "a/b/+", "a/{what}/c", "{first}/b/{last}", "$share/g/a/#"];
      const flows = names.map((name) => {
        const list: unknown[] = [];
        seenBy.set(name, list);
        return [name, ({ payload, match }: FlowEvent) => list.push(match ?? payload)] as const;
      });
      // Without "#" the others overlap without one that covers them.
      for (const some of [flows, flows.slice(1)]) {
        for (const list of seenBy.values()) list.length = 0;
        const { connector } = await bench.consume(
          `protocol = ${protocol}`,
          Object.fromEntries(some),
        );
        await connector.write(send(bench.below("a/b/c"), 1));
        await connector.write(send(bench.below("a/b/d"), 2, { qos: 2 }));
        await connector.write(send(bench.below("a/x/c"), 3, { qos: 0 }));
        await until("all", () => seenBy.get("$share/g/a/#")?.length === 3);
        // What is on its way is handled.
        await shut(connector);
        assert.deepEqual(
          Object.fromEntries(some.map(([name]) => [name, seenBy.get(name)])),
          Object.fromEntries(
            Object.entries({
              "#": [1, 2, 3],
              "a/+/c": [1, 3],
              "a/b/+": [1, 2],
              "a/{what}/c": [{ what: "b" }, { what: "x" }],
              "{first}/b/{last}": [{ first: "a", last: "c" }, { first: "a", last: "d" }],
              "$share/g/a/#": [1, 2, 3],
            }).slice(flows.length - some.length),
          ),
          `protocol ${protocol}`,
        );
      }
    }
  },
);

await bench("a shared subscription gives each message to one member", async (bench) => {
  for (const protocol of VERSIONS) {
    const got: number[][] = [[], []];
    const members = [];
    for (const at of [0, 1]) {
      members.push(
        await bench.consume(`protocol = ${protocol}`, {
          [`$share/g/${protocol}/+`]: ({ payload }) => got[at].push(payload as number),
        }),
      );
    }
    const other = await bench.client();
    for (let n = 0; n < 20; n++) {
      await other.publishAsync(bench.below(`${protocol}/x`), String(n), { qos: 1 });
    }
    await until("all", () => got.flat().length === 20);
    assert.deepEqual(got.flat().sort((a, b) => a - b), Array.from({ length: 20 }, (_, n) => n));
    assert.ok(got.every((some) => some.length > 0));
    await shut(members[0].connector);
    for (let n = 20; n < 24; n++) {
      await other.publishAsync(bench.below(`${protocol}/x`), String(n), { qos: 1 });
    }
    await until("the rest goes to the other one", () => got.flat().length === 24);
  }
});

await bench(
  "workers share what is shared, each with a session; else one consumes",
  async (bench) => {
    const clientId = `weir-${crypto.randomUUID()}`;
    const session = `client_id = "${clientId}"\nclean = false`;
    const got: unknown[][] = [[], []];
    const made = [];
    for (const [at, { cluster }] of twoWorkers().entries()) {
      const hears = ({ payload }: FlowEvent) => got[at].push(payload);
      made.push(await bench.consume(session, { "$share/g/shared": hears }, bench.url, cluster));
      await bench.consume("", { each: hears }, bench.url, cluster);
    }
    const other = await bench.client();
    for (let n = 0; n < 10; n++) {
      await other.publishAsync(bench.below("shared"), `${n}`, {
        qos: 1,
      });
    }
    await other.publishAsync(bench.below("each"), '"each"', { qos: 1 });
    await until("all", () => got.flat().length === 11);
    assert.ok(got.every((some) => some.some((one) => typeof one === "number")));
    assert.deepEqual(got.map((some) => some.includes("each")), [true, false]);
    // Each session is there under the number of its worker.
    for (const [at, { connector }] of made.entries()) {
      await shut(connector);
      const client = bench.client({ clientId: `${clientId}-w${at + 1}`, clean: false });
      assert.equal((await client).connack.sessionPresent, true);
    }
  },
);

await bench("retained messages: kept, marked, removed", async (bench) => {
  for (const protocol of VERSIONS) {
    const topic = `kept${protocol}`;
    const { connector } = await bench.make('format = "text"');
    await connector.start();
    await connector.write(send(bench.below(topic), "on", { retain: true }));
    const events: FlowEvent[] = [];
    const late = await bench.consume(`format = "text"\nprotocol = ${protocol}`, {
      [topic]: (event) => events.push(event),
    });
    await until("the retained one", () => events.length === 1);
    await connector.write(send(bench.below(topic), "", { retain: true }));
    await until("the removal", () => events.length === 2);
    assert.deepEqual(events.map(({ input }) => [input._retained, input.body]), [[true, "on"], [
      false,
      "",
    ]]);
    await shut(late.connector);
    const heard = await bench.hear(topic);
    await connector.write(send(bench.below(topic), "x"));
    await until("one", () => heard.length > 0);
    assert.deepEqual(heard.map(({ text, retained }) => [text, retained]), [["x", false]]);
  }
});

await bench(
  "the will is published when a client disappears, and not when it says goodbye",
  async (bench) => {
    const proxy = await Proxy.open(1883);
    try {
      for (const protocol of VERSIONS) {
        const got = await bench.hear(`will${protocol}/+`);
        const will = (name: string) =>
          `protocol = ${protocol}\nwill {\ntopic = "${bench.below(`will${protocol}/${name}`)}"
        payload = "gone"\nqos = 1\nretain = true\n}`;
        const polite = await bench.consume(will("polite"), { x: () => {} });
        await shut(polite.connector);
        const through = `mqtt://127.0.0.1:${proxy.port}`;
        // One that only publishes has it, too.
        const writer = await bench.make(will("writer"), through);
        await writer.connector.start();
        await bench.consume(will("reader"), { x: () => {} }, through);
        proxy.refuse();
        proxy.cut();
        await until("two wills", () => got.length === 2);
        assert.deepEqual(
          got.map(({ topic, text, qos }) => [topic.split("/").at(-1), text, qos]).sort(),
          [
            ["reader", "gone", 1],
            ["writer", "gone", 1],
          ],
        );
        const { connector } = await bench.make('format = "text"');
        await connector.start();
        for (const name of ["reader", "writer"]) {
          const topic = bench.below(`will${protocol}/${name}`);
          await connector.write(send(topic, "", { retain: true }));
        }
        await proxy.accept();
      }
    } finally {
      proxy.close();
    }
  },
);

await own(
  "a broker that is away at the start, and then comes, goes, and comes again",
  { persistent: true },
  async (bench, server) => {
    await server.stop();
    const events: unknown[] = [];
    const kept: unknown[] = [];
    const one = await bench.consume("", { "#": ({ payload }) => events.push(payload) });
    const session = 'client_id = "weir-kept"\nclean = false\nsession_expiry = "1h"';
    const two = await bench.consume(session, { "#": ({ payload }) => kept.push(payload) });
    assert.match(
      one.connector.health() ?? "",
      /^the broker 127\.0\.0\.1:\d+ is away: .*ECONNREFUSED/,
    );
    const write = async (): Promise<unknown> =>
      await one.connector.write(send(bench.below("x"), 0));
    await assert.rejects(write(), (error: ConnectorError) => {
      assert.match(error.message, /could not publish .*: the broker .* is away/);
      return !error.permanent;
    });
    await server.start();
    await until("both", () => !one.connector.health() && !two.connector.health());
    await one.connector.write(send(bench.below("x"), 1));
    await until("one event", () => events.length === 1 && kept.length === 1);
    await server.restart();
    await until("both again", () => !one.connector.health() && !two.connector.health());
    const other = await bench.client();
    await other.publishAsync(bench.below("x"), "2", { qos: 1 });
    await until("another event", () => events.length === 2 && kept.includes(2));
    // One that was acknowledged when the broker went comes again.
    assert.deepEqual([events, [...new Set(kept)]], [[1, 2], [1, 2]]);
    assert.deepEqual([one.connector.counts().gaps, two.connector.counts().gaps], [1, 0]);
    const texts = one.log.map(([level, text]) => `${level} ${text.replace(/\d{4,}/, "PORT")}`);
    assert.match(texts[0], /^warn the broker 127.0.0.1:PORT is away; reconnecting: /);
    assert.deepEqual(texts.filter((text) => /is back/.test(text)).length, 2);
    assert.equal(texts.filter((text) => /subscribes anew; messages/.test(text)).length, 1);
    // A session keeps what comes while nobody is there.
    await shut(two.connector);
    await other.publishAsync(bench.below("x"), "3", { qos: 1 });
    const three = await bench.consume(session, { "#": ({ payload }) => kept.push(payload) });
    await until("what came meanwhile", () => kept.includes(3));
    assert.equal(three.connector.counts().gaps, 0);
  },
);

await own(
  "refused credentials end the start, a refused message fails for good",
  {
    users: { anna: PASSWORD, bert: "b" },
    acl: ["user anna", "topic readwrite open/#", "user bert", "topic readwrite #"],
  },
  async (bench, { url }) => {
    const anna = `username = "anna"\npassword = "${PASSWORD}"`;
    for (const protocol of VERSIONS) {
      for (const wrong of ["", 'username = "anna"\npassword = "wrong"']) {
        const { connector, log } = await bench.make(`protocol = ${protocol}\n${wrong}`);
        const error = await refusal(connector.start());
        assert.ok(error.permanent);
        assert.match(
          error.message,
          /cannot start: the broker 127.0.0.1:\d+: (?:Not authorized|Bad user ?name or password)/i,
        );
        assert.deepEqual(log, []);
        await assert.rejects(async () => await connector.probe([], []), /refuses: /);
      }
      const { connector } = await bench.make(`protocol = ${protocol}\n${anna}`);
      await connector.start();
      await connector.write(send("open/x", 1));
      const publish = async (): Promise<unknown> => await connector.write(send("secret/x", 2));
      // With MQTT 3.1.1 a broker has no way to say it.
      if (protocol === 4) await publish();
      else {
        await assert.rejects(publish(), (error: ConnectorError) => {
          assert.match(error.message, /the broker refused it: Not authorized/);
          return error.permanent;
        });
      }
      assert.match(await connector.probe([], []), /^the broker 127.0.0.1:\d+ answers$/);
      await shut(connector);
    }
    const withUser = url.replace("//", `//anna:${encodeURIComponent(PASSWORD)}@`);
    const { connector } = await bench.make("", withUser);
    await connector.start();
    await connector.write(send("open/x", 1));
  },
);

await own(
  "what is too large for the broker fails for good, and closes nothing",
  { settings: ["max_packet_size 2000"] },
  async (bench) => {
    const { connector, log } = await bench.make();
    await connector.start();
    const write = async (length: number, qos: number): Promise<unknown> =>
      await connector.write(send(bench.below("x"), "x".repeat(length), { qos }));
    for (const qos of [0, 1, 2]) {
      await assert.rejects(write(2000, qos), (error: ConnectorError) => {
        assert.match(error.message, /it has 2\d\d\d bytes, and the broker takes 2000 at most/);
        return error.permanent;
      });
      await write(1800, qos);
    }
    assert.deepEqual(log, []);
  },
);

await own(
  "a broker that answers nothing: what is not confirmed fails, and all goes on when it is back",
  {},
  async (bench, server) => {
    const events: unknown[] = [];
    const { connector } = await bench.consume('keep_alive = "1s"', {
      "#": ({ payload }) => events.push(payload),
    });
    const write = async (payload: unknown, qos: number): Promise<unknown> =>
      await connector.write(send(bench.below("x"), payload, { qos }));
    await write("before", 1);
    await server.freeze();
    // What is written without being confirmed fills the buffers of the system first.
    const sent = [0, 1, 2].flatMap((qos) =>
      Array.from({ length: qos === 0 ? 40 : 2 }, () => write("x".repeat(200_000), qos))
    );
    const ends = await Promise.allSettled(sent);
    for (const end of [ends[39], ...ends.slice(40)]) {
      assert.equal(end.status, "rejected");
      assert.match(end.reason.message, /the broker has not confirmed it: Keepalive timeout$/);
      assert.equal(end.reason.permanent, false);
    }
    assert.match(connector.health() ?? "", /is away: Keepalive timeout$/);
    server.thaw();
    await until("it is back", () => connector.health() === undefined);
    await write("after", 1);
    await until("the last one", () => events.includes("after"));
    assert.equal(connector.counts().gaps, 1);
  },
);

await own(
  "a client that another one has thrown out says so, and does not come back",
  {},
  async (bench) => {
    const body = 'client_id = "weir-twice"\nclean = false';
    const one = await bench.consume(body, { x: () => {} });
    const two = await bench.consume(body, { x: () => {} });
    const said = 'another client has taken over the client id "weir-twice"';
    await until("it is out", () => one.connector.health() === said);
    assert.ok(
      one.log.some(([level, text]) => level === "error" && /a client_id of its own/.test(text)),
    );
    assert.equal(two.connector.health(), undefined);
    assert.deepEqual(two.log, []);
  },
);

await own(
  "flows that are slow stop the intake, and the connection lives",
  { settings: ["max_inflight_messages 0", "max_queued_messages 0"] },
  async (bench) => {
    for (const protocol of VERSIONS) {
      const gate = Promise.withResolvers<void>();
      const body = `protocol = ${protocol}\nkeep_alive = "1s"\nconsumer {\nprefetch = 2\n}`;
      const { connector, log } = await bench.consume(body, { "#": () => gate.promise });
      const other = await bench.client();
      const all = Array.from(
        { length: 200 },
        (_, n) => other.publishAsync(bench.below("x"), String(n), { qos: 1 }),
      );
      await Promise.all(all);
      await until("twenty unacknowledged ones, two of them at work", () => {
        return connector.counts().waiting === 18;
      });
      // Nothing is read with MQTT 3.1.1, for longer than the connection lives without an answer.
      if (protocol === 4) await new Promise((resolve) => setTimeout(resolve, 1700));
      assert.equal(connector.counts().waiting, 18);
      assert.equal(connector.health(), undefined);
      gate.resolve();
      await until("all", () => connector.counts().acked === 200);
      assert.deepEqual(log, []);
      await shut(connector);
    }
  },
);

await serviceTest(
  "mosquitto-clients",
  "mosquitto_pub and mosquitto_sub talk to flows",
  async () => {
    const bench = new MqttBench(SHARED_MQTT);
    try {
      const { connector } = await bench.consume("", {
        "in/{name}": async ({ payload, match }) => {
          await connector.write(send(bench.below(`out/${match?.name}`), { got: payload }));
        },
      });
      const run = promisify(execFile);
      const heard = run("mosquitto_sub", [
        "-q",
        "1",
        "-C",
        "1",
        "-W",
        "10",
        "-t",
        bench.below("out/+"),
      ]);
      const published = setInterval(() => {
        void run("mosquitto_pub", ["-q", "2", "-t", bench.below("in/ü"), "-m", '{"n":1}']);
      }, 200);
      assert.equal(
        (await heard.finally(() => clearInterval(published))).stdout,
        '{"got":{"n":1}}\n',
      );
    } finally {
      await bench.end();
    }
  },
);

test("refused subscriptions are in the log, in the health, and in weir check --connect", async () => {
  for (
    const [protocol, code, words] of [[5, 0x87, "Not authorized"], [
      4,
      0x80,
      "Unspecified error",
    ]] as const
  ) {
    const broker = await refusingBroker({ protocol, subscriptions: [1, code] });
    const bench = new MqttBench(broker.url);
    try {
      const { connector, log } = await bench.make(`protocol = ${protocol}`);
      for (const operation of ["a/+", "b/+"]) connector.subscribe(operation, flow(() => {}));
      await connector.start();
      await connector.consume();
      const said = `the broker refuses to subscribe to b/+: ${words}`;
      assert.equal(connector.health(), said);
      assert.deepEqual(log, [["error", said]]);
    } finally {
      await bench.end();
      broker.end();
    }
  }
});

test("what the broker would refuse of flows is a problem of weir check --connect", async () => {
  const broker = await refusingBroker({ protocol: 5, subscriptions: [0x87] });
  const bench = new MqttBench(broker.url);
  try {
    const { connector } = await bench.make();
    const problems: unknown[] = [];
    const report = (problem: unknown): void => void problems.push(problem);
    const found = await connector.probe([], [{ operation: "$share/g/b/{x}", report }]);
    assert.match(found, /^the broker 127\.0\.0\.1:\d+ answers$/);
    const message = "has an operation to which the broker refuses to subscribe: Not authorized";
    assert.deepEqual(problems, [{ attribute: "operation", message }]);
  } finally {
    await bench.end();
    broker.end();
  }
});

test("a broker that closes what it has accepted is tried ever less, and the reason is guessed", async () => {
  const broker = await refusingBroker({ protocol: 4, closes: true });
  const bench = new MqttBench(broker.url);
  try {
    const { connector, log } = await bench.make(
      'protocol = 4\nclient_id = "weir-x"\nclean = false',
    );
    connector.subscribe("a", flow(() => {}));
    await connector.start();
    await connector.consume();
    const isGuess = ([level, text]: LogLine) =>
      level === "error" && text.endsWith('does another client use the client id "weir-x"?');
    await until("the guess", () => log.some(isGuess));
  } finally {
    await bench.end();
    broker.end();
  }
});

test("a broker that refuses a client which it had accepted says why, once", async () => {
  for (const [protocol, code] of [[4, 5], [5, 0x87]] as const) {
    const broker = await refusingBroker({ protocol, closes: true, connacks: [0, code] });
    const bench = new MqttBench(broker.url);
    try {
      const { connector, log } = await bench.make(`protocol = ${protocol}`);
      await connector.start();
      await until("its reason", () => /: Not authorized$/.test(connector.health() ?? ""));
      const texts = log.map(([level, text]) => `${level} ${text.replace(/:\d+/, "")}`);
      assert.match(texts[0], /^warn the broker 127.0.0.1 is away; reconnecting: /);
      assert.deepEqual(texts.slice(1), [
        "error the broker 127.0.0.1 refuses the connection; tries again: Not authorized",
      ]);
    } finally {
      await bench.end();
      broker.end();
    }
  }
});

await own(
  "what is no MQTT broker, or speaks TLS or not, is asked about",
  {},
  async (bench, own) => {
    const http = createServer((_request, response) => response.end()).listen(0, "127.0.0.1");
    await once(http, "listening");
    const { port } = http.address() as AddressInfo;
    try {
      for (
        const [url, kind] of [
          [own.url.replace("mqtt:", "mqtts:"), "with TLS"],
          [own.url.replace("mqtt:", "ws:"), "without TLS by WebSocket"],
          [`mqtt://127.0.0.1:${port}`, "without TLS"],
          [`ws://127.0.0.1:${port}`, "without TLS by WebSocket"],
        ]
      ) {
        const { connector } = await bench.make("", url);
        const error = await refusal(connector.probe([], []));
        const words = `; is there an MQTT broker ${kind} at this port?`;
        assert.ok(error.message.endsWith(words), error.message);
      }
    } finally {
      http.close();
    }
  },
);
