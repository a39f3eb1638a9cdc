/** The steps that the expressions of one room rule share, those of its look-ups included. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Client, ConnectorContext } from "../../src/contract/connector.ts";
import { RoomPattern } from "../../src/connectors/websocket/rooms/pattern.ts";
import { RoomRules } from "../../src/connectors/websocket/rooms/rules.ts";
import { compileExpression, METER, Meter, meterOf } from "../../src/expression/mod.ts";
import { BUDGET } from "../../src/expression/meter.ts";
import { Dependencies } from "../../src/flow/cache.ts";
import type { LookupModel } from "../../src/contract/request.ts";
import { recorder } from "../support/log.ts";

test("what a cached look-up asks for takes the steps of the event that asks, and its key does not", () => {
  const text = compileExpression("input.text.upper()", ["input"]);
  const dependencies = new Dependencies({ text });
  const [first, second] = [new Meter(), new Meter()];
  const input = { text: "x".repeat(1_000), other: 1 };
  const narrowed = dependencies.narrow({ input, [METER]: first });
  text.evaluate(narrowed);
  assert.ok(first.left < second.left);
  assert.equal(
    dependencies.keyOf(narrowed, "t", {}),
    dependencies.keyOf(dependencies.narrow({ input, [METER]: second }), "t", {}),
  );
});

test("the look-ups of a room's rule and its condition share the steps of one event, each join has its own", () => {
  const left: number[] = [];
  const context: Pick<ConnectorContext, "constants" | "logger" | "lookUp"> = {
    constants: {},
    logger: recorder().logger,
    lookUp(_steps, scope) {
      const meter = meterOf(scope);
      assert.ok(meter !== undefined);
      left.push(meter.left);
      meter.spend(meter.left - 100);
      return { list: Array.from({ length: 1_000 }, (_, i) => i) };
    },
  };
  const pattern = new RoomPattern("*");
  const join = compileExpression("step.list.all(n, n >= 0)", ["step"]);
  const step = { connector: "c", name: "list" } as LookupModel;
  const rules = new RoomRules([{ pattern, join, steps: [step] }], context);
  const client = { id: "a", user_id: "ana", context: {} } as unknown as Client;
  for (let i = 0; i < 2; i++) {
    const verdict = rules.ask(client, "r");
    assert.ok(verdict !== undefined && !(verdict instanceof Promise));
    assert.equal(verdict.code, "flow_failed");
  }
  assert.deepEqual(left, [BUDGET, BUDGET]);
});
