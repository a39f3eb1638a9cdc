/** Parameters of URLs become numbers and booleans where the type of `validate.input` wants some. */
import assert from "node:assert/strict";
import { contract, websocket } from "../support/socket-contract.ts";

const validated = `
  validate {
    input = "search"
  }
`;

const config = `${websocket()}
  connector "api" {
    type = "rest"
    port = 0
  }
  type "search" {
    shelf = number
    limit = number({ max = 50, default = 10 })
    exact = boolean({ default = false })
    tags  = array(number, { default = [] })
    text  = string({ required = false })
    body  = string({ default = "none" })
  }
  flow "connect" {
    from {
      connector = "ws"
      operation = "connect"
      filter    = "input.shelf == '7'"
    }
    ${validated}
    to {
      connector = "probe"
      transform {
        shelf = "output.shelf"
        exact = "output.exact"
        limit = "output.limit"
        tags  = "output.tags"
        text  = "output.text"
        input = "[input.shelf, input.limit, input.data.shelf, client.params.shelf]"
      }
    }
  }
  flow "frame" {
    from {
      connector = "ws"
      operation = "search"
    }
    ${validated}
  }
  flow "search" {
    from {
      connector = "api"
      operation = "POST /shelves/:shelf"
    }
    ${validated}
    response {
      payload = "output"
      input   = "[input.shelf + 1, input.exact]"
      body    = "input.body"
    }
  }
`;

contract("text: parameters of a handshake convert, frames do not", config, async (t) => {
  const client = await t.connect("/ws?shelf=7&exact=true&tags=1&tags=2&text=5");
  const [{ payload }] = await t.probe.received(1);
  assert.deepEqual(payload, {
    shelf: 7,
    exact: true,
    limit: 10,
    tags: [1],
    text: "5",
    input: [7, 10, "7", "7"],
  });
  t.probe.releaseAll();
  client.say({ type: "search", id: 1, data: { shelf: "7", exact: "true" } });
  const { code, details } = await client.hear();
  assert.equal(code, "validation_failed");
  assert.deepEqual(details, [
    { path: "shelf", message: "must be a number" },
    { path: "exact", message: "must be true or false" },
  ]);
});

contract("text: path and query of a request convert, its body does not", config, async (t) => {
  const post = async (path: string, body: string) => {
    const response = await fetch(`http://127.0.0.1:${t.running.port}${t.host.mount}${path}`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body,
    });
    return { status: response.status, ...await response.json() };
  };
  assert.deepEqual(await post("/shelves/7?tags=1&tags=2&limit=50", '{"limit":"5","exact":true}'), {
    status: 200,
    payload: { shelf: 7, limit: 50, exact: true, tags: [1, 2], body: "none" },
    input: [8, true],
    body: { limit: "5", exact: true },
  });
  assert.deepEqual(await post("/shelves/7?exact=true", ""), {
    status: 200,
    payload: { shelf: 7, limit: 10, exact: true, tags: [], body: "none" },
    input: [8, true],
    body: null,
  });
  const { status, error } = await post("/shelves/x?limit=51&tags=a", '{"exact":"true"}');
  assert.equal(status, 422);
  assert.deepEqual(error.details, [
    { path: "shelf", message: "must be a number" },
    { path: "limit", message: "must be at most 50" },
    { path: "exact", message: "must be true or false" },
    { path: "tags[0]", message: "must be a number" },
  ]);
});
