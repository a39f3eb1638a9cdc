/** Filters of messages that cross between instances, also of instances with other configurations. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { type Clock, systemClock } from "../../src/base/clock.ts";
import type { ConnectorError } from "../../src/base/errors.ts";
import { Filters } from "../../src/connectors/websocket/instances/filters.ts";
import { compileExpression } from "../../src/expression/mod.ts";
import { ask, expression, hears, soon, withHubs } from "../support/linked-hubs.ts";
import { ManualClock } from "../support/clock.ts";
import { recorder } from "../support/log.ts";

/** Filters of an instance that knows nothing, and whom it asks. */
function filtersWith(
  texts: Readonly<Record<string, string>> = {},
  requests: unknown[] = [],
  { clock = systemClock, wait = () => Promise.resolve() }: {
    readonly clock?: Clock;
    readonly wait?: () => Promise<void>;
  } = {},
) {
  const asked: string[] = [];
  const log = recorder();
  const filters = new Filters({
    logger: log.logger,
    clock,
    requests,
    compile: compileExpression,
    async ask(instance, hash) {
      asked.push(`${instance} ${hash}`);
      await wait();
      return texts[hash];
    },
  });
  return { filters, asked, log };
}

for (const echoes of [true, false]) {
  const link = echoes ? "a backplane" : "the workers' link";

  test(`filters over ${link}: the sender's filter decides, which is asked for once`, () =>
    withHubs(3, { capabilities: { echoes } }, async (a, b, c) => {
      const clients = [await a.open("ada"), await b.open("bob"), await c.open("bob")];
      for (const client of clients) await ask(client, { type: "who" });
      const filter = expression("client.user_id == input.user && input.n > 1", "input");
      const to = (user: string, n: unknown, payload: unknown) => ({
        operation: "broadcast",
        payload,
        options: { filter },
        scope: { input: { user, n, secret: "not read" } },
      });
      const counted = await a.write({ ...to("bob", 2, "first"), resultUsed: true });
      assert.deepEqual(counted, { recipients: 2 });
      void a.write(to("ada", 2, "second"));
      void a.write(to("bob", 1, "nobody"));
      void a.write(to("bob", 2n ** 62n, "third"));
      void a.write({ operation: "broadcast", payload: "last" });
      await hears(clients[0], "second", "last");
      await hears(clients[1], "first", "third", "last");
      await hears(clients[2], "first", "third", "last");
      assert.deepEqual([a, b, c].map(({ hub }) => hub.counts().filter_gaps), [0, 0, 0]);
    }));

  test(`filters over ${link}: one that fails elsewhere fails the flow that waits for it`, () =>
    withHubs(2, { capabilities: { echoes } }, async (a, b) => {
      const [ada, bob] = [await a.open("ada"), await b.open("bob")];
      for (const client of [ada, bob]) await ask(client, { type: "who" });
      const filter = expression("client.user_id == 'bob' && input.n > 1", "input");
      const request = {
        operation: "broadcast",
        options: { filter },
        scope: { input: { n: "text" } },
      };
      const counted = async () => await a.write({ ...request, resultUsed: true });
      await assert.rejects(counted, (error: ConnectorError) => error.permanent);
      // Nobody waits for it: then the instance where it failed shows it.
      await a.write(request);
      await soon("the log", () => b.log.records.length > 0);
      assert.match(b.log.records[0].text, /^failed to apply what instance n1 has sent: .*n > 1/);
      // Where it fails for a client of the sender's instance, the flow fails in any case.
      const own = { ...request, options: { filter: expression("client.nothing > 1") } };
      await assert.rejects(async () => await b.write(own));
      assert.deepEqual([ada.take(), bob.take()], [[], []]);
    }));
}

test("filters: what a filter reads crosses, and nothing else", () => {
  const { filters } = filtersWith();
  const reads = (text: string, scope: Record<string, unknown>) => {
    const variables = ["client", "input", "output", "constants"];
    return filters.pack(compileExpression(text, variables), scope).values;
  };
  const input = { user: "ada", deep: { a: 1, b: 2 }, list: [{ x: 1 }], "": 0 };
  const constants = { key: "secret", n: 3 };
  const scope = { input, constants, output: "text" };
  assert.deepEqual(reads("client.user_id == input.user", scope), { input: { user: "ada" } });
  assert.deepEqual(reads("input.deep.a == constants.n", scope), {
    input: { deep: { a: 1 } },
    constants: { n: 3 },
  });
  assert.deepEqual(reads("input.list.exists(one, one.x == 1)", scope), {
    input: { list: input.list },
  });
  assert.deepEqual(reads("input.deep.a == 1 && size(input.deep) == 2", scope), {
    input: { deep: input.deep },
  });
  assert.deepEqual(reads("has(input.missing.name) || output.a == 1", scope), {
    input: {},
    output: "text",
  });
  assert.deepEqual(reads("size(input) == 1", scope), { input });
  assert.deepEqual(reads("output == null", {}), { output: null });
  assert.deepEqual(reads("client.user_id == 'ada'", scope), {});
});

test("filters: one that this instance has is not asked for", () => {
  const filter = expression("client.user_id == input.user", "input");
  const { filters, asked } = filtersWith({}, [{ filter }, {}]);
  const { filter: hash = "", values } = filtersWith().filters.pack(filter, { input: {} });
  assert.equal(filters.find(hash, values!, "n2"), filter);
  assert.equal(filters.textOf(hash), filter.source);
  assert.equal(filters.textOf("0".repeat(64)), undefined);
  assert.deepEqual(asked, []);
});

test("filters: one is asked for once, also where it does not compile here", async () => {
  const sender = filtersWith();
  const good = sender.filters.pack(expression("input.n == 1", "input"), { input: { n: 1 } });
  const newer = sender.filters.pack(expression("input.m == 1", "input"), { input: { m: 1 } });
  const texts = { [good.filter!]: "input.n == 1", [newer.filter!]: "input.m == 1" };
  const { filters, asked, log } = filtersWith(texts);
  const find = (hash: string | undefined, values = {}) => filters.find(hash!, values, "n1");
  const found = await find(good.filter, good.values);
  assert.equal(found?.source, "input.n == 1");
  assert.equal(find(good.filter, good.values), found);
  // A newer version may use what this one does not know.
  assert.equal(await find(newer.filter), undefined);
  assert.equal(find(newer.filter), undefined);
  assert.equal(asked.length, 2);
  assert.match(log.records[0].text, /the filter input.m == 1, which does not compile here/);
  // An instance that tells nothing, or another text, is believed nothing.
  assert.equal(await find("0".repeat(64)), undefined);
  const liar = filtersWith({ [good.filter!]: "true" });
  assert.equal(await liar.filters.find(good.filter!, {}, "n1"), undefined);
  assert.match(liar.log.records[0].text, /a filter that it does not tell/);
});

test("filters: what this instance has done is told when it is done, also behind an unknown filter", () =>
  withHubs(2, { capabilities: { echoes: true }, options: { max_rooms: 1 } }, async (a, b) => {
    const ada = await a.open("ada");
    await ask(ada, { type: "join_room", room: "r" });
    const instances = a.group.connector("ws");
    const { promise: held, resolve: goOn } = Promise.withResolvers<void>();
    const askOne = instances.askOne.bind(instances);
    let isAsked = false;
    instances.askOne = async (...question) => {
      isAsked = true;
      await held;
      return await askOne(...question);
    };
    const filter = expression("client.user_id != 'bob'");
    await b.write({ operation: "broadcast", payload: "first", options: { filter } });
    await soon("the question", () => isAsked);
    const user = expression("'ada'");
    const join = { operation: "join_room", target: "s", options: { user } };
    const refused = assert.rejects(async () => await a.write(join), /1 of 1 .* have not joined/);
    const sent = a.write({ operation: "broadcast", payload: "second", resultUsed: true });
    await soon("the publish", () => a.group.counts().backplane_sent >= 2);
    setTimeout(goOn, 50);
    await refused;
    assert.deepEqual(await sent, { recipients: 1 });
    await hears(ada, "first", "second");
  }));

test("filters: two instances learn each other's at the same time", () =>
  withHubs(2, { capabilities: { echoes: true } }, async (a, b) => {
    const clients = [await a.open("ada"), await b.open("bob")];
    const send = (hub: typeof a, number: number) => {
      const filter = expression(`client.user_id != 'nobody ${number}'`);
      return hub.write({ operation: "broadcast", payload: number, options: { filter } });
    };
    await Promise.all([send(a, 1), send(b, 2)]);
    await Promise.all([send(a, 3), send(b, 4)]);
    for (const client of clients) {
      await soon("all of them", () => client.heard >= 4);
      const numbers = client.take().map((frame) => (frame as { readonly data: unknown }).data);
      assert.deepEqual(numbers.sort(), [1, 2, 3, 4]);
    }
  }));

test("filters: an instance that is slow to tell nothing is asked again only after a while", async () => {
  const clock = new ManualClock();
  const { filters, asked, log } = filtersWith({}, [], {
    clock,
    wait: () => clock.advance(2_000),
  });
  const find = (digit: string, from: string) => filters.find(digit.repeat(64), {}, from);
  for (const digit of ["0", "1", "2"]) assert.equal(await find(digit, "n1"), undefined);
  assert.equal(asked.length, 1);
  await find("0", "n2");
  assert.equal(asked.length, 2);
  await clock.advance(10_000);
  await find("3", "n1");
  assert.equal(asked.length, 3);
  assert.equal(log.records.length, 2);
});

test("filters: one that is too long is not compiled", async () => {
  const text = `"${"x".repeat(65_536)}" == client.id`;
  const { filter = "" } = filtersWith().filters.pack(expression(text), {});
  const { filters } = filtersWith({ [filter]: text });
  assert.equal(await filters.find(filter, {}, "n1"), undefined);
});
