/** What is told of data that is refused, of flows that fail and of their `error_response`. */
import assert from "node:assert/strict";
import type { Message } from "../support/socket-client.ts";
import { type Contract, contract, websocket } from "../support/socket-contract.ts";

/** The same flow for a client, as operation `NAME`, and for a REST caller, as `GET /NAME`. */
function both(name: string, blocks: (kind: "ws" | "api") => string, settings = ""): string {
  const flow = (source: "ws" | "api", operation: string) => `
    flow "${name} on ${source}" {
      ${settings}
      from {
        connector = "${source}"
        operation = "${operation}"
      }
      ${blocks(source)}
    }
  `;
  return flow("ws", name) + flow("api", `GET /${name}`);
}

const config = `${websocket()}
  connector "api" {
    type = "rest"
    port = 0
  }
  type "order" {
    text  = string({ min_length = 2 })
    state = string({ enum = ["new", "paid"], default = "new" })
  }
  ${
  both(
    "order",
    () => `
      validate {
        input = "order"
      }
      to {
        connector = "probe"
      }
      response {
        state = "input.state"
      }
    `,
  )
}
  ${
  both(
    "guarded",
    () => `
      accept {
        when = "input.text == 'open sesame'"
      }
      response {
        ok = "true"
      }
    `,
  )
}
  ${
  both(
    "told",
    (source) => `
      validate {
        input = "order"
      }
      error_handling {
        error_response {
          ${source === "api" ? "status = 418" : ""}
          body {
            message = "'no order: ' + error.code"
            fields  = "pluck(error.details, 'path')"
          }
        }
      }
    `,
  )
}
  ${
  both(
    "mute",
    () => `
      to {
        connector = "probe"
        target    = "fail"
      }
      error_handling {
        error_response {
          body {
            message = "42"
          }
        }
      }
    `,
  )
}
  flow "huge" {
    from {
      connector = "ws"
      operation = "huge"
    }
    accept {
      when = "false"
    }
    error_handling {
      error_response {
        body {
          text = "[input.text, input.text, input.text]"
        }
      }
    }
  }
  flow "status alone" {
    from {
      connector = "api"
      operation = "GET /status"
    }
    accept {
      when = "false"
    }
    error_handling {
      error_response {
        status = 410
      }
    }
  }
  ${
  both(
    "slow",
    () => `
      to {
        connector = "probe"
      }
    `,
    'timeout = "100ms"',
  )
}
  ${
  both(
    "once",
    (source) => `
      dedupe {
        key = "'${source}' + input.key"
        ttl = "1m"
      }
      to {
        connector = "probe"
        target    = "once"
      }
      response {
        key = "input.key"
      }
    `,
  )
}
`;

/** The error that a frame with an `id` gets, without type and id. */
async function refusal(t: Contract, type: string, data: unknown): Promise<Message> {
  const client = await t.connect();
  const { type: kind, id, ...error } = await client.ask({ type, data, id: "q" });
  assert.deepEqual([kind, id], ["error", "q"]);
  // It is told without an `id`, too, and the connection lives on.
  const again = await client.ask({ type, data });
  assert.deepEqual([again.type, again.code, "id" in again], ["error", error.code, false]);
  await client.hearsNothing();
  return error;
}

/** The status and the body of a request. */
async function get(t: Contract, target: string): Promise<readonly [status: number, body: unknown]> {
  const headers = { Upgrade: null, Connection: "close", "Sec-WebSocket-Key": null };
  const { status, body } = await t.request(target, { headers });
  return [status, body === "" ? "" : JSON.parse(body)];
}

contract("failures: data that is refused: every path and what is wrong", config, async (t) => {
  const invalid = (source: string) => ({
    code: "validation_failed",
    message: `flow "order on ${source}": the data is not a valid order`,
  });
  const { details, ...error } = await refusal(t, "order", { text: "x", state: "old" });
  assert.deepEqual(error, invalid("ws"));
  const list = details as readonly { readonly path: string; readonly message: string }[];
  assert.deepEqual(list.map(({ path }) => path), ["text", "state"]);
  assert.ok(list.every(({ message }) => typeof message === "string" && message.length > 0));
  assert.deepEqual(await get(t, "/order?text=x&state=old"), [
    422,
    { error: { ...invalid("api"), details } },
  ]);
  assert.deepEqual(t.probe.deliveries, []);
});

contract("failures: data that is good has its defaults", config, async (t) => {
  const client = await t.connect();
  assert.deepEqual(await client.ask({ type: "order", data: { text: "tea" }, id: 1 }), {
    type: "ack",
    id: 1,
    data: { state: "new" },
  });
  assert.deepEqual(await get(t, "/order?text=tea"), [200, { state: "new" }]);
  assert.deepEqual(t.probe.payloads, Array(2).fill({ text: "tea", state: "new" }));
});

contract("failures: whom accept refuses has no details", config, async (t) => {
  const error = (source: string) => ({
    code: "rejected",
    message: `flow "guarded on ${source}" rejected the event`,
  });
  assert.deepEqual(await refusal(t, "guarded", { text: "hello" }), error("ws"));
  assert.deepEqual(await get(t, "/guarded?text=hello"), [403, { error: error("api") }]);
  assert.deepEqual(await get(t, "/guarded?text=open%20sesame"), [200, { ok: true }]);
});

contract("failures: an error_response is told instead", config, async (t) => {
  const body = { message: "no order: validation_failed", fields: ["text"] };
  assert.deepEqual(await refusal(t, "told", {}), {
    code: "validation_failed",
    message: body.message,
    details: body,
  });
  assert.deepEqual(await get(t, "/told"), [418, body]);
  assert.deepEqual(await get(t, "/status"), [
    410,
    { error: { code: "rejected", message: 'flow "status alone" rejected the event' } },
  ]);
});

contract("failures: a message that is no text stands in details alone", config, async (t) => {
  const { message, ...error } = await refusal(t, "mute", {});
  assert.deepEqual(error, { code: "flow_failed", details: { message: 42 } });
  assert.match(String(message), /^flow "mute on ws" failed \(ref [0-9a-f]{8}\)$/);
  assert.deepEqual(await get(t, "/mute"), [500, { message: 42 }]);
});

contract("failures: an error_response that is too large to send fails", config, async (t) => {
  const client = await t.connect();
  const data = { text: "x".repeat(400_000) };
  const { message, ...error } = await client.ask({ type: "huge", data, id: 1 });
  assert.deepEqual(error, { type: "error", code: "flow_failed", id: 1 });
  assert.match(String(message), /^the frame failed \(ref [0-9a-f]{8}\)$/);
  await client.hearsNothing();
});

contract("failures: a flow that is out of time", config, async (t) => {
  t.probe.holds = true;
  const { message, ...error } = await refusal(t, "slow", {});
  assert.deepEqual(error, { code: "timeout" });
  assert.match(String(message), /^flow "slow on ws" timed out \(ref [0-9a-f]{8}\)$/);
  const [status, body] = await get(t, "/slow");
  const { error: { ref, ...told } } = body as { error: Record<string, unknown> };
  assert.deepEqual([status, told], [
    504,
    { code: "timeout", message: `flow "slow on api" timed out (ref ${ref})` },
  ]);
});

contract("failures: what was handled before gets the first answer", config, async (t) => {
  const client = await t.connect();
  const ask = () => client.ask({ type: "once", data: { key: "k" }, id: 1 });
  assert.deepEqual(await ask(), { type: "ack", id: 1, data: { key: "k" } });
  assert.deepEqual(await ask(), { type: "ack", id: 1, data: { key: "k" } });
  client.say({ type: "once", data: { key: "k" } });
  assert.deepEqual(await client.hear(), { type: "message", data: { key: "k" } });
  assert.deepEqual(await get(t, "/once?key=k"), [200, { key: "k" }]);
  assert.deepEqual(await get(t, "/once?key=k"), [200, { key: "k" }]);
  assert.deepEqual(t.probe.targets, ["once", "once"]);
});
