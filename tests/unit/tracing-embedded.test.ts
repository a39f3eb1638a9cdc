/** Traces of a runtime that a program embeds, with the program's own spans around it. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { trace } from "@opentelemetry/api";
import { Hono } from "hono";
import { createRuntime } from "../../src/runtime/mod.ts";
import { RECORDED, Sdk, SPAN_ID, told } from "../support/tracing.ts";

const CONFIG = `
  connector "api" {
    type = "rest"
    port = 0
  }
  connector "mq" {
    type   = "mq"
    driver = "memory"
  }
  connector "db" {
    type     = "database"
    driver   = "sqlite"
    database = ":memory:"
  }
  flow "ask" {
    from {
      connector = "api"
      operation = "GET /orders/:id"
    }
    accept {
      when      = "input.id != '0'"
      on_reject = "reject"
    }
    response { n = "100 / int(input.id)" }
  }
  flow "order" {
    from {
      connector = "api"
      operation = "POST /orders/:id"
    }
    step "now" {
      connector = "db"
      query     = "-- the time\\nSELECT 1 AS n"
    }
    to {
      connector = "mq"
      target    = "'orders.' + input.id"
    }
  }
`;

/** A program that has a span for each request, as an instrumented server has. */
async function withProgram(act: (app: Hono) => Promise<void>): Promise<void> {
  const runtime = await createRuntime(CONFIG);
  const app = new Hono();
  app.use(async (context, next) => {
    if (context.req.header("x-span") === undefined) return await next();
    await trace.getTracer("program").startActiveSpan("serve", async (span) => {
      await next();
      span.end();
    });
  });
  app.route("/live", runtime.app);
  try {
    await act(app);
  } finally {
    await runtime.close();
  }
}

test("a flow is a child of the program's span, whatever the request says", async () => {
  await Sdk.with((sdk) =>
    withProgram(async (app) => {
      const headers = { "x-span": "1", traceparent: RECORDED };
      const { status } = await app.request("/live/orders/7", { method: "POST", headers });
      assert.equal(status, 204);
      assert.deepEqual(sdk.tree(), [
        "POST /orders/:id < serve",
        "SELECT db < POST /orders/:id",
        "publish mq < POST /orders/:id",
        "serve",
      ]);
      const { kind, attributes } = told(sdk.span("POST /orders/:id"));
      assert.equal(kind, "INTERNAL");
      assert.deepEqual(attributes, {
        "http.request.method": "POST",
        "http.route": "/orders/:id",
        "http.response.status_code": 204,
        "url.path": "/live/orders/7",
        "weir.flow": "order",
        "weir.connector": "api",
        "weir.operation": "POST /orders/:id",
        "weir.outcome": "ok",
      });
      assert.deepEqual(told(sdk.span("SELECT db")), {
        kind: "CLIENT",
        status: "UNSET",
        attributes: {
          "db.system.name": "sqlite",
          "db.operation.name": "SELECT",
          "db.query.text": "-- the time\nSELECT 1 AS n",
          "weir.connector": "db",
          "weir.request": "step",
          "weir.name": "now",
        },
        events: [],
      });
    })
  );
});

test("without one, it is a child of the sender's span", async () => {
  await Sdk.with((sdk) =>
    withProgram(async (app) => {
      const headers = { traceparent: RECORDED };
      await app.request("/live/orders/7", { method: "POST", headers });
      const run = sdk.span("POST /orders/:id");
      assert.equal(run.parentSpanContext?.spanId, SPAN_ID);
      assert.equal(told(run).kind, "SERVER");
    })
  );
});

test("the status of the answer is an attribute, also where the flow refuses or fails", async () => {
  const cases = [["5", 200], ["0", 403], ["x", 500]] as const;
  for (const [id, expected] of cases) {
    await Sdk.with((sdk) =>
      withProgram(async (app) => {
        const { status } = await app.request(`/live/orders/${id}?token=secret`);
        const { attributes } = told(sdk.span("GET /orders/:id"));
        assert.deepEqual([status, attributes["http.response.status_code"]], [expected, expected]);
        assert.equal(attributes["url.path"], `/live/orders/${id}`);
      })
    );
  }
});
