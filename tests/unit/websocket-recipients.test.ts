import assert from "node:assert/strict";
import { test } from "node:test";
import type { Client, FlowEvent } from "../../src/contract/connector.ts";
import { select } from "../../src/connectors/websocket/recipients.ts";
import { ExpressionError } from "../../src/base/errors.ts";
import { compileExpression } from "../../src/expression/mod.ts";
import { asScope, Run } from "../../src/flow/run.ts";

const group = ["a", "b", "c"].map((id) => ({
  id,
  client: { id, user_id: id.toUpperCase(), params: { level: id } } as unknown as Client,
}));

function filter(text: string) {
  return compileExpression(text, ["input", "output", "client", "step", "constants"]);
}

function idsOf(chosen: Iterable<{ readonly client: Client }>): string {
  return [...chosen].map(({ client }) => client.id).join("");
}

/** What a flow's expressions see of an event, and how often its input was made. */
function runOf(input: Readonly<Record<string, unknown>>) {
  let made = 0;
  const event: FlowEvent = {
    operation: "message",
    payload: input,
    get input() {
      made++;
      return input;
    },
    client: { id: "sender", user_id: "S" } as unknown as Client,
  };
  const run = new Run(event, { floor: "b" });
  return { scope: asScope(run.scope), run, made: () => made };
}

test("select: a client without an id is never left out, and gets no id for it", () => {
  const { scope } = runOf({});
  const unnamed = {
    id: undefined,
    get client(): Client {
      return assert.fail("nothing has asked for the client");
    },
  };
  for (const except of [undefined, "b"]) {
    assert.deepEqual(select([unnamed], { filter: undefined, except, scope }), [unnamed]);
  }
});

test("select: without a filter all but one", () => {
  const { scope } = runOf({});
  assert.equal(idsOf(select(group, { filter: undefined, except: undefined, scope })), "abc");
  assert.equal(idsOf(select(group, { filter: undefined, except: "b", scope })), "ac");
  assert.equal(idsOf(select(group, { filter: undefined, except: "nobody", scope })), "abc");
  assert.deepEqual(idsOf(select([], { filter: filter("true"), except: "a", scope })), "");
});

test("select: a filter sees the event, and each recipient as client", () => {
  const { scope, run, made } = runOf({ to: "B", least: "b" });
  run.scope.output = { not: "A" };
  run.scope.step = { found: { id: "c" } };
  const cases = [
    ["client.user_id == input.to", "b"],
    ["client.user_id != output.not", "bc"],
    ["client.id == step.found.id", "c"],
    ["client.id >= constants.floor && client.params.level > input.least", "c"],
    ["context.params.level == 'a'", "a"],
    ["client.user_id == 'S'", ""],
    ["true", "abc"],
    ["null", ""],
  ];
  for (const [text, ids] of cases) {
    assert.equal(idsOf(select(group, { filter: filter(text), except: undefined, scope })), ids);
  }
  assert.equal(
    idsOf(select(group, { filter: filter("input.to != ''"), except: "a", scope })),
    "bc",
  );
  assert.equal(made(), 3, "the input is read once for all recipients, and not where nothing asks");
  // The flow's own scope stays as it is.
  assert.equal((scope.client as Client).id, "sender");
});

test("select: a plain scope works, too", () => {
  const scope = Object.freeze({ constants: { floor: "b" } });
  const chosen = select(group, {
    filter: filter("client.id > constants.floor"),
    except: "x",
    scope,
  });
  assert.equal(idsOf(chosen), "c");
  assert.equal(idsOf(select(group, { filter: filter("input.x == 1"), except: "x", scope })), "");
});

test("select: a filter that fails or returns no boolean selects no client", () => {
  const { scope } = runOf({ n: "text" });
  for (const text of ["client.id == 'a' || input.n > 1", "client.user_id", "input"]) {
    assert.throws(
      () => select(group, { filter: filter(text), except: undefined, scope }),
      ExpressionError,
    );
  }
});

test("select: a filter has the steps of its event and more for each recipient", () => {
  const many = Array.from({ length: 20_000 }, (_, id) => ({ ...group[0], id: `${id}` }));
  const { scope, run } = runOf({ list: Array.from({ length: 200 }, (_, i) => i) });
  const long = filter("input.list.exists(n, n == 199 && client.id == 'a')");
  const chosen = (members: typeof many) =>
    select(members, { filter: long, except: undefined, scope }).length;
  // Ten million steps do for some thousands of recipients, what they bring for as many as there are.
  assert.equal(chosen(many.slice(0, 1_000)), 1_000);
  assert.throws(() => chosen(many), /more steps than the 10 million/);
  run.scope.renewSteps();
  const short = filter("client.user_id == 'A' && input.list[3] == 3");
  assert.equal(select(many, { filter: short, except: undefined, scope }).length, 20_000);
});
