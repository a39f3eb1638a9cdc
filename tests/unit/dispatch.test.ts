import assert from "node:assert/strict";
import { test } from "node:test";
import type { FlowEvent, FlowHandler, Outcome } from "../../src/contract/connector.ts";
import { accept, admit, dispatch } from "../../src/contract/dispatch.ts";
import { FlowError } from "../../src/base/errors.ts";

const event: FlowEvent = { operation: "message", payload: {}, input: {} };

function outcome(data: unknown): Outcome {
  return { response: { data }, result: undefined };
}

function handler(
  flow: string,
  run: FlowHandler["run"],
  takes: FlowHandler["takes"] = () => true,
): FlowHandler {
  return { flow, takes, run };
}

function flowError(flow: string): FlowError {
  return new FlowError(flow, "flow_failed", { ref: "abcd1234" });
}

function fail(error: unknown): never {
  throw error;
}

test("dispatch: no flow takes the event: no answer, nothing runs", () => {
  const never = handler("a", () => assert.fail("must not run"), () => false);
  const admitted = admit([never], event);
  assert.deepEqual(admitted, []);
  assert.deepEqual(dispatch(admitted, event), { answer: undefined, all: undefined });
});

test("dispatch: one synchronous flow stays synchronous", () => {
  const made = outcome(1);
  const { answer, all } = dispatch(admit([handler("a", () => made)], event), event);
  assert.equal(answer, made);
  assert.equal(all, undefined);
});

test("dispatch: several synchronous flows stay synchronous, the first answers", () => {
  const order: string[] = [];
  const handlers = ["a", "b", "c"].map((flow) =>
    handler(flow, () => {
      order.push(flow);
      return outcome(flow);
    }, () => flow !== "a")
  );
  const { answer, all } = dispatch(admit(handlers, event), event);
  assert.deepEqual(answer, outcome("b"));
  assert.equal(all, undefined);
  assert.deepEqual(order, ["b", "c"]);
});

test("dispatch: a synchronous failure is a value, for one flow and for several", () => {
  const error = flowError("a");
  const failing = handler("a", () => fail(error));
  assert.deepEqual(dispatch(admit([failing], event), event), { answer: error, all: error });

  const two = dispatch(admit([handler("b", () => outcome(1)), failing], event), event);
  assert.deepEqual(two.answer, outcome(1));
  assert.equal(two.all, error);
});

test("dispatch: every filter is asked before the first flow runs", () => {
  const log: string[] = [];
  const handlers = ["a", "b"].map((flow) =>
    handler(flow, () => {
      log.push(`run ${flow}`);
      return outcome(flow);
    }, () => {
      log.push(`filter ${flow}`);
      return true;
    })
  );
  dispatch(admit(handlers, event), event);
  assert.deepEqual(log, ["filter a", "filter b", "run a", "run b"]);
});

test("dispatch: a filter that fails counts as taken and its flow fails, unrun", () => {
  const error = flowError("a");
  const broken = handler("a", () => assert.fail("must not run"), () => fail(error));
  const admitted = admit([broken, handler("b", () => outcome(2))], event);
  assert.deepEqual(admitted.map(({ flow }) => flow), ["a", "b"]);
  const { answer, all } = dispatch(admitted, event);
  assert.equal(answer, error);
  assert.equal(all, error);
});

test("dispatch: flows run side by side; the answer does not wait for later ones", async () => {
  const slow = Promise.withResolvers<Outcome>();
  const started: string[] = [];
  const admitted = admit([
    handler("a", () => {
      started.push("a");
      return Promise.resolve(outcome("a"));
    }),
    handler("b", () => {
      started.push("b");
      return slow.promise;
    }),
  ], event);
  const { answer, all } = dispatch(admitted, event);
  assert.deepEqual(started, ["a", "b"]);
  assert.deepEqual(await answer, outcome("a"));

  let ended = false;
  const end = Promise.resolve(all).then(() => ended = true);
  await new Promise((resolve) => setTimeout(resolve, 5));
  assert.equal(ended, false);
  slow.resolve(outcome("b"));
  await end;
});

test("dispatch: a later flow's failure leaves the answer alone and is the failure of all", async () => {
  const error = flowError("b");
  const { answer, all } = dispatch(
    admit([
      handler("a", () => Promise.resolve(outcome("a"))),
      handler("b", () => Promise.reject(error)),
    ], event),
    event,
  );
  assert.deepEqual(await answer, outcome("a"));
  assert.equal(await all, error);
});

test("dispatch: of two failures the one of the first flow counts, whichever came first", async () => {
  const late = Promise.withResolvers<Outcome>();
  const first = flowError("a");
  const { answer, all } = dispatch(
    admit([handler("a", () => late.promise), handler("b", () => fail(flowError("b")))], event),
    event,
  );
  late.reject(first);
  assert.equal(await answer, first);
  assert.equal(await all, first);
});

test("dispatch: a bug in a filter is thrown before any flow runs", () => {
  const bug = new TypeError("bug");
  const handlers = [
    handler("a", () => assert.fail("must not run")),
    handler("b", () => assert.fail("must not run"), () => fail(bug)),
  ];
  assert.throws(() => admit(handlers, event), bug);
});

test("dispatch: a bug in a flow rejects, once the others have been started and have ended", async () => {
  const bug = new TypeError("bug");
  for (const run of [() => fail(bug), () => Promise.reject(bug)]) {
    const one = dispatch(admit([handler("a", run)], event), event);
    await assert.rejects(Promise.resolve(one.answer), bug);
    await assert.rejects(Promise.resolve(one.all), bug);

    let ended = false;
    const two = dispatch(
      admit([
        handler("a", run),
        handler("b", async () => {
          await new Promise((resolve) => setTimeout(resolve, 5));
          ended = true;
          return outcome("b");
        }),
      ], event),
      event,
    );
    await assert.rejects(Promise.resolve(two.answer), bug);
    await assert.rejects(Promise.resolve(two.all), bug);
    assert.equal(ended, true);
  }
});

test("dispatch: a broker that awaits `all` alone sees the bug and nothing is left unhandled", async () => {
  const bug = new TypeError("bug");
  const { all } = dispatch(
    admit([handler("a", () => fail(bug)), handler("b", () => outcome(1))], event),
    event,
  );
  await assert.rejects(Promise.resolve(all), bug);
});

test("accept: without a refusal nothing is waited for, and nothing runs", () => {
  const never = () => assert.fail("must not run");
  const silent = handler("a", never);
  const asked: FlowEvent[] = [];
  const asking = { ...handler("b", never), accept: (of: FlowEvent) => void asked.push(of) };
  assert.equal(accept([], event), undefined);
  assert.equal(accept([silent, asking], event), undefined);
  assert.deepEqual(asked, [event]);
});

test("accept: the first refusal in the order of the flows, and all are asked", async () => {
  const [first, second] = [flowError("a"), flowError("b")];
  const asked: string[] = [];
  const asking = (flow: string, answer: () => void | Promise<void>) => ({
    ...handler(flow, () => assert.fail("must not run")),
    accept() {
      asked.push(flow);
      return answer();
    },
  });
  const refuses = (error: FlowError) => asking(error.flow, () => fail(error));
  assert.equal(accept([refuses(first), refuses(second)], event), first);
  const later = asking("a", () => Promise.reject(first));
  assert.equal(await accept([later, refuses(second)], event), first);
  assert.equal(await accept([asking("c", () => Promise.resolve()), later], event), first);
  const welcome = accept([asking("c", () => Promise.resolve())], event);
  assert.ok(welcome instanceof Promise);
  assert.equal(await welcome, undefined);
  assert.deepEqual(asked, ["a", "b", "a", "b", "c", "a", "c"]);
});

test("accept: a bug is no refusal", async () => {
  const bug = new TypeError("a bug");
  const broken = (answer: () => Promise<void>) => ({
    ...handler("a", () => outcome(1)),
    accept: answer,
  });
  assert.throws(() => accept([broken(() => fail(bug))], event), bug);
  await assert.rejects(async () => await accept([broken(() => Promise.reject(bug))], event), bug);
});

test("accept: a flow whose filter failed refuses", () => {
  const error = flowError("a");
  const admitted = admit([handler("a", () => outcome(1), () => fail(error))], event);
  assert.equal(accept(admitted, event), error);
});
