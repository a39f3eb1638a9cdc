import assert from "node:assert/strict";
import { test } from "node:test";
import { context, trace } from "@opentelemetry/api";
import { AlwaysOffSampler, ParentBasedSampler } from "@opentelemetry/sdk-trace-node";
import { ConnectorError } from "../../src/base/errors.ts";
import { loadConfig } from "../../src/runtime/load.ts";
import { startTracing } from "../../src/tracing/mod.ts";
import { settle } from "../support/clock.ts";
import {
  LEFT_OUT,
  RECORDED,
  Sdk,
  SPAN_ID,
  told,
  TRACE_ID,
  treeOf,
  withFlows,
} from "../support/tracing.ts";

const FLOW = (source: string, body: string) =>
  `flow "f" {\nfrom {\nconnector = "${source}"\noperation = "happened"\n}\n${body}\n}\n`;
const TO = (connector: string, more = "") => `to {\nconnector = "${connector}"\n${more}\n}\n`;
const SIMPLE = FLOW("messages", TO("a"));

test("without an SDK nothing traces, and no trace is passed on", async () => {
  assert.equal(await startTracing(await loadConfig("")), undefined);
  await withFlows(SIMPLE, async ({ send, writes }) => {
    await send("messages", { traceparent: RECORDED, tracestate: "a=b" });
    assert.equal("traceparent" in writes[0], false);
    assert.equal("tracestate" in writes[0], false);
  });
});

test("a run is a span, and its requests are spans below it", async () => {
  const flow = FLOW(
    "clients",
    [
      'step "who" {\nconnector = "b"\noperation = "find"\ntarget = "who"\n}',
      TO("a", 'operation = "keep"'),
      TO("a", "parallel = true"),
      TO("b", 'parallel = true\ntarget = "secret"'),
    ].join("\n"),
  );
  await Sdk.with((sdk) =>
    withFlows(flow, async ({ send }) => {
      await send("clients");
      assert.deepEqual(sdk.tree(), [
        "a < happened clients",
        "b < happened clients",
        "find b < happened clients",
        "happened clients",
        "keep a < happened clients",
      ]);
      assert.deepEqual(told(sdk.span("happened clients")), {
        kind: "SERVER",
        status: "UNSET",
        attributes: {
          "weir.flow": "f",
          "weir.connector": "clients",
          "weir.operation": "happened",
          "weir.outcome": "ok",
        },
        events: [],
      });
      assert.deepEqual(told(sdk.span("find b")), {
        kind: "CLIENT",
        status: "UNSET",
        attributes: {
          "weir.connector": "b",
          "weir.operation": "find",
          "weir.request": "step",
          "weir.name": "who",
        },
        events: [],
      });
    })
  );
});

test("a trace is taken from the event and passed on", async () => {
  await Sdk.with((sdk) =>
    withFlows(SIMPLE, async ({ send, writes }) => {
      await send("messages", { traceparent: RECORDED, tracestate: "a=b" });
      const run = sdk.span("happened messages");
      assert.equal(run.spanContext().traceId, TRACE_ID);
      assert.equal(run.parentSpanContext?.spanId, SPAN_ID);
      assert.equal(told(run).kind, "CONSUMER");
      const { spanId } = sdk.span("a").spanContext();
      assert.equal(writes[0].traceparent, `00-${TRACE_ID}-${spanId}-01`);
      assert.equal(writes[0].tracestate, "a=b");
    })
  );
});

test("what is no trace is ignored", async () => {
  const nonsense = [
    "",
    "nonsense",
    `${RECORDED}-more`,
    `ff-${TRACE_ID}-${SPAN_ID}-01`,
    `00-${"0".repeat(32)}-${SPAN_ID}-01`,
    `00-${TRACE_ID}-${"0".repeat(16)}-01`,
    `00-${TRACE_ID.toUpperCase()}-${SPAN_ID}-01`,
    `01-${TRACE_ID}-${SPAN_ID}-01-${"x".repeat(1000)}`,
    7 as unknown as string,
  ];
  await Sdk.with((sdk) =>
    withFlows(SIMPLE, async ({ send }) => {
      for (const traceparent of nonsense) await send("messages", { traceparent });
      const runs = sdk.spans.filter(({ name }) => name === "happened messages");
      assert.equal(runs.length, nonsense.length);
      for (const run of runs) {
        assert.equal(run.parentSpanContext, undefined);
        assert.notEqual(run.spanContext().traceId, TRACE_ID);
      }
    })
  );
});

test("a later version of the header counts as far as it is known", async () => {
  await Sdk.with((sdk) =>
    withFlows(SIMPLE, async ({ send }) => {
      await send("messages", { traceparent: `01-${TRACE_ID}-${SPAN_ID}-01-more` });
      assert.equal(sdk.span("happened messages").spanContext().traceId, TRACE_ID);
    })
  );
});

test("a trace that is not recorded has no spans, and is passed on", async () => {
  await Sdk.with((sdk) =>
    withFlows(FLOW("messages", TO("a") + TO("b")), async ({ send, writes }) => {
      await send("messages", { traceparent: LEFT_OUT, tracestate: "a=b" });
      assert.deepEqual(sdk.spans, []);
      assert.equal(writes.length, 2);
      for (const { traceparent, tracestate } of writes) {
        assert.equal(traceparent, LEFT_OUT);
        assert.equal(tracestate, "a=b");
      }
    })
  );
});

test("a trace that the sampler leaves out is passed on as such", async () => {
  const sampler = new ParentBasedSampler({ root: new AlwaysOffSampler() });
  await Sdk.with((sdk) =>
    withFlows(SIMPLE, async ({ send, writes }) => {
      await send("messages");
      await send("messages", { traceparent: RECORDED });
      assert.match(writes[0].traceparent ?? "", /^00-[0-9a-f]{32}-[0-9a-f]{16}-00$/);
      assert.deepEqual(sdk.tree(), ["a < happened messages", "happened messages"]);
    }), sampler);
});

test("of the traces that begin here a part is recorded, of those of senders all", async () => {
  const flows = FLOW("messages", TO("a")) +
    FLOW("clients", `accept {\nwhen = "true"\n}\n${TO("b")}`).replace('"f"', '"g"');
  await Sdk.with((sdk) =>
    withFlows(`service {\ntrace_ratio = 0\n}\n${flows}`, async ({ send, enter, writes }) => {
      await send("messages");
      await enter("clients");
      assert.deepEqual(sdk.spans, []);
      for (const write of writes) assert.equal("traceparent" in write, false);
      await send("messages", { traceparent: RECORDED });
      assert.deepEqual(sdk.tree(), ["a < happened messages", "happened messages"]);
    })
  );
  await Sdk.with((sdk) =>
    withFlows(`service {\ntrace_ratio = 0.5\n}\n${flows}`, async ({ send, enter }) => {
      for (let n = 0; n < 200; n++) {
        await send("messages");
        await enter("clients");
      }
      const named = (name: string) => sdk.spans.filter((span) => span.name === name).length;
      // That all or none of two hundred are chosen has a chance of one in 2^200.
      const runs = named("happened messages");
      assert.ok(runs > 0 && runs < 200, `${runs}`);
      const entered = named("happened clients");
      assert.ok(entered > 0 && entered < 200, `${entered}`);
      // The two phases are recorded together.
      assert.equal(named("accept happened clients"), entered);
    })
  );
});

test("a span ends when its promise does", async () => {
  const { promise, resolve } = Promise.withResolvers<void>();
  await Sdk.with((sdk) =>
    withFlows(SIMPLE, async ({ send }) => {
      const running = send("messages");
      await settle();
      assert.deepEqual(sdk.spans, []);
      resolve();
      await running;
      assert.deepEqual(sdk.spans.map(({ name }) => name), ["a", "happened messages"]);
    }, () => promise)
  );
});

test("what a connector does belongs to its request, also later", async () => {
  const seen: (string | undefined)[] = [];
  const look = () => seen.push(trace.getSpan(context.active())?.spanContext().spanId);
  await Sdk.with((sdk) =>
    withFlows(SIMPLE, async ({ send }) => {
      await send("messages");
      const { spanId } = sdk.span("a").spanContext();
      assert.deepEqual(seen, [spanId, spanId]);
    }, async () => {
      look();
      await settle();
      look();
    })
  );
});

test("a failure is told by the span of its request and by that of the flow", async () => {
  const failing = () => {
    throw new ConnectorError("a", "is away");
  };
  await Sdk.with((sdk) =>
    withFlows(SIMPLE, async ({ send }) => {
      const failure = await send("messages").then(() => assert.fail(), (error) => error);
      const request = sdk.span("a");
      assert.equal(request.status.message, 'connector "a": is away');
      assert.deepEqual(told(request), {
        kind: "CLIENT",
        status: "ERROR",
        attributes: {
          "weir.connector": "a",
          "weir.request": "destination",
          "error.type": "connector-failed",
        },
        events: ["exception"],
      });
      const run = sdk.span("happened messages");
      assert.equal(run.status.message, `flow "f" failed (ref ${failure.ref})`);
      const { attributes, events, status } = told(run);
      assert.equal(status, "ERROR");
      assert.equal(attributes["weir.outcome"], "failed");
      assert.equal(attributes["weir.ref"], failure.ref);
      assert.equal(attributes["error.type"], "flow_failed");
      // The request tells the cause.
      assert.deepEqual(events, []);
    }, failing)
  );
});

test("a failure of an expression is told by the span of the flow", async () => {
  const flow = FLOW("messages", 'transform {\nn = "int(input.text)"\n}');
  await Sdk.with((sdk) =>
    withFlows(flow, async ({ send }) => {
      await assert.rejects(send("messages", { input: { text: "x" } }));
      const { status, events } = told(sdk.span("happened messages"));
      assert.deepEqual([status, events], ["ERROR", ["exception"]]);
    })
  );
});

test("what a flow refuses is not an error", async () => {
  const flow = FLOW("requests", `reject {\nwhen = "true"\ncode = "full"\nmessage = "no"\n}`);
  await Sdk.with((sdk) =>
    withFlows(flow, async ({ send }) => {
      await assert.rejects(send("requests"));
      const { status, attributes } = told(sdk.span("happened requests"));
      assert.equal(status, "UNSET");
      assert.equal(attributes["weir.outcome"], "rejected");
      assert.equal(attributes["error.type"], "full");
    })
  );
});

test("the status of an API is an attribute", async () => {
  const refused = () => {
    throw new ConnectorError("a", "answered 404", { status: 404, permanent: true });
  };
  await Sdk.with((sdk) =>
    withFlows(SIMPLE, async ({ send }) => {
      await assert.rejects(send("messages"));
      const { attributes } = told(sdk.span("a"));
      assert.equal(attributes["http.response.status_code"], 404);
      assert.equal(attributes["error.type"], "404");
    }, refused)
  );
});

test("retries are events, and each attempt and the fallback are spans", async () => {
  const handling =
    'error_handling {\nretry {\nattempts = 2\ndelay = "1ms"\n}\nfallback {\nconnector = "b"\n}\n}';
  const away = (_: unknown, connector: string) => {
    if (connector === "a") throw new ConnectorError("a", "away");
  };
  await Sdk.with((sdk) =>
    withFlows(FLOW("messages", TO("a") + handling), async ({ send }) => {
      await send("messages");
      assert.deepEqual(sdk.tree(), [
        "a < happened messages",
        "a < happened messages",
        "b < happened messages",
        "happened messages",
      ]);
      assert.equal(told(sdk.span("b")).attributes["weir.request"], "fallback");
      const { attributes, events } = told(sdk.span("happened messages"));
      assert.equal(attributes["weir.outcome"], "fallback");
      assert.deepEqual(events, ["retry"]);
    }, away)
  );
});

test("a flow that is asked first has one trace", async () => {
  const flow = FLOW("clients", `accept {\nwhen = "true"\n}\n${TO("a")}`);
  await Sdk.with((sdk) =>
    withFlows(flow, async ({ enter }) => {
      await enter("clients");
      assert.deepEqual(sdk.tree(), [
        "a < happened clients",
        "accept happened clients",
        "happened clients < accept happened clients",
      ]);
    })
  );
});

test("a request within a span of the program is a part of that", async () => {
  await Sdk.with((sdk) =>
    withFlows(FLOW("requests", TO("a")), async ({ send }) => {
      const tracer = trace.getTracer("program");
      await tracer.startActiveSpan("GET /", async (span) => {
        // The program's span is the child of the sender's.
        await send("requests", { traceparent: RECORDED });
        span.end();
      });
      assert.deepEqual(sdk.tree(), [
        "GET /",
        "a < happened requests",
        "happened requests < GET /",
      ]);
      assert.equal(told(sdk.span("happened requests")).kind, "INTERNAL");
    })
  );
});

test("messages do not belong to the span in which their connection was made", async () => {
  await Sdk.with((sdk) =>
    trace.getTracer("program").startActiveSpan("start", async (span) => {
      await withFlows(
        FLOW("messages", "") + FLOW("requests", "").replace('"f"', '"g"'),
        async ({ send }) => {
          await send("messages");
          await send("requests");
        },
      );
      span.end();
      assert.deepEqual(sdk.tree(), ["happened messages", "happened requests", "start"]);
    })
  );
});

test("a schedule has spans", async () => {
  const flow = `flow "tick" {\nwhen = "@every 1s"\n${TO("a")}\n}\n`;
  await Sdk.with(async (sdk) => {
    const { promise, resolve } = Promise.withResolvers<void>();
    await withFlows(flow, () => promise, () => resolve());
    const ended = treeOf(
      sdk.spans.slice(0, 2).map((span) => ({
        name: span.name,
        id: span.spanContext().spanId,
        parent: span.parentSpanContext?.spanId,
      })),
    );
    assert.deepEqual(ended, ["a < schedule tick", "schedule tick"]);
  });
});
