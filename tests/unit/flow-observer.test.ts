import assert from "node:assert/strict";
import { test } from "node:test";
import { systemClock } from "../../src/base/clock.ts";
import { ConnectorError } from "../../src/base/errors.ts";
import type { FlowObserver } from "../../src/contract/observer.ts";
import { observedBy } from "../../src/flow/observers.ts";
import { settle } from "../support/clock.ts";
import { eventOf, failureOf, FROM, make, type MakeOptions, to } from "../support/flow.ts";

/** Writes down what it is told. */
function watcher(traceparent?: string): FlowObserver & { readonly told: string[] } {
  const told: string[] = [];
  return {
    told,
    filtered: () => void told.push("filtered"),
    begin(phase) {
      told.push(`begin ${phase}`);
      return {
        request({ kind, name, connector, operation, target }) {
          const words = [kind, name, connector, operation, target].filter(Boolean).join(" ");
          told.push(words);
          return {
            traceparent,
            ended: (failure) =>
              void told.push(`${connector} ${failure === undefined ? "ended" : "failed"}`),
          };
        },
        retried: () => void told.push("retried"),
        ended: (outcome, ending) =>
          void told.push(ending instanceof Error ? `${outcome}: ${ending.name}` : `${outcome}`),
      };
    },
  };
}

async function told(
  body: string,
  {
    answer,
    input,
    fails = false,
    ...options
  }: MakeOptions & {
    readonly answer?: Parameters<typeof make>[1];
    readonly input?: Readonly<Record<string, unknown>>;
    readonly fails?: boolean;
  } = {},
): Promise<readonly string[]> {
  const observer = watcher();
  const { flow, run } = await make(body, answer, { ...options, observer });
  await (fails ? failureOf(() => run(input)) : run(input));
  flow.close();
  return observer.told;
}

const away = (name: string) => {
  if (name === "a") throw new ConnectorError("a", "away");
};

test("steps and destinations are told in their order", async () => {
  const body = [
    FROM,
    'step "who" {\nconnector = "b"\noperation = "find"\n}',
    to("a", 'target = "rows"'),
    to("m", 'parallel = true\ntarget = "k"'),
    to("c", "parallel = true"),
  ].join("\n");
  assert.deepEqual(await told(body), [
    "begin run",
    "step who b find",
    "b ended",
    "destination a rows",
    "a ended",
    "destination m k",
    "m ended",
    "destination c",
    "c ended",
    "ok",
  ]);
});

test("a request that waits ends when its promise does", async () => {
  const observer = watcher();
  const { promise, resolve } = Promise.withResolvers<string>();
  const { run } = await make([FROM, to("a")].join("\n"), () => promise, { observer });
  const running = run();
  await settle();
  assert.deepEqual(observer.told, ["begin run", "destination a"]);
  resolve("done");
  await running;
  assert.deepEqual(observer.told.slice(2), ["a ended", "ok"]);
});

test("each ending has its word", async () => {
  const filter = 'from {\nconnector = "a"\nfilter = "input.n > 1"\n}';
  const observer = watcher();
  const { flow } = await make([filter, to("b")].join("\n"), undefined, { observer });
  assert.equal(flow.takes(eventOf({ n: 1 })), false);
  assert.equal(flow.takes(eventOf({ n: 2 })), true);
  assert.throws(() => flow.takes(eventOf({ n: "text" })));
  assert.deepEqual(observer.told, ["filtered", "begin run", "failed: FlowError"]);

  const refuse = [FROM, 'reject {\nwhen = "true"\ncode = "full"\nmessage = "no"\n}'].join("\n");
  assert.deepEqual(await told(refuse, { fails: true }), ["begin run", "rejected: FlowError"]);
  const closed = [FROM, 'accept {\nwhen = "false"\non_reject = "reject"\n}', to("b")].join("\n");
  assert.deepEqual(await told(closed, { fails: true }), ["begin run", "rejected: FlowError"]);

  const blocks = 'type "t" {\nn = number\n}';
  const typed = [FROM, 'validate {\ninput = "t"\n}', to("b")].join("\n");
  const invalid = await told(typed, { blocks, input: { n: "text" }, fails: true });
  assert.deepEqual(invalid, ["begin run", "invalid: FlowError"]);

  const failing = await told([FROM, to("a")].join("\n"), { answer: away, fails: true });
  assert.deepEqual(failing, ["begin run", "destination a", "a failed", "failed: FlowError"]);
});

test("a repeated event is a duplicate", async () => {
  const observer = watcher();
  const body = [FROM, to("b"), 'dedupe {\nkey = "input.id"\nttl = "1h"\n}'].join("\n");
  const { run } = await make(body, undefined, { observer });
  await run({ id: 1 });
  await run({ id: 1 });
  assert.deepEqual(observer.told.slice(-2), ["begin run", "duplicate"]);
});

test("a fallback takes the event after retries", async () => {
  const body = [
    FROM,
    to("a"),
    'error_handling {\nretry {\nattempts = 2\ndelay = "1ms"\n}\nfallback {\nconnector = "b"\n}\n}',
  ].join("\n");
  assert.deepEqual(await told(body, { answer: away, clock: systemClock }), [
    "begin run",
    "destination a",
    "a failed",
    "retried",
    "destination a",
    "a failed",
    "fallback b",
    "b ended",
    "fallback",
  ]);
});

test("a flow that is asked before the event is let in begins twice", async () => {
  const observer = watcher();
  const body = [FROM, 'accept {\nwhen = "input.n > 1"\n}', to("b")].join("\n");
  const { flow } = await make(body, undefined, { observer });
  const event = eventOf({ n: 2 });
  await flow.accept(event);
  await flow.run(event);
  const late = eventOf({ n: 1 });
  await failureOf(() => flow.accept(late));
  assert.deepEqual(observer.told, [
    "begin accept",
    "undefined",
    "begin run",
    "destination b",
    "b ended",
    "ok",
    "begin accept",
    "rejected: FlowError",
  ]);
});

test("destinations get the trace, and several can watch", async () => {
  const [plain, tracing] = [watcher(), watcher("00-1-2-01")];
  const observer = observedBy([plain, tracing]);
  assert.ok(observer);
  const { run, writes } = await make([FROM, to("b")].join("\n"), undefined, { observer });
  await run();
  assert.equal(writes[0].traceparent, "00-1-2-01");
  assert.deepEqual(plain.told, tracing.told);
  assert.equal(plain.told.length, 4);
  assert.equal(observedBy([]), undefined);
});
