/** Refusals that a script can see: what a client that offers `weir.1` gets in the place of a status. */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { population } from "../support/population.ts";
import { SECRET, sign } from "../support/auth.ts";
import {
  type HandshakeOptions,
  handshakeText,
  type SocketClient,
} from "../support/socket-client.ts";
import { type Contract, contract, flows, websocket } from "../support/socket-contract.ts";
import { encodeFrame } from "../support/socket-frames.ts";
import { until } from "../support/socket-probe.ts";

const OFFER = "Sec-WebSocket-Protocol";

/** The handshake of a client that offers `weir.1`, or other subprotocols. */
function offering(options: HandshakeOptions = {}, offer = "weir.1"): HandshakeOptions {
  return { ...options, headers: { ...options.headers, [OFFER]: offer } };
}

/** Sends such a handshake. */
async function knock(
  t: Contract,
  target = "/ws",
  options?: HandshakeOptions,
  offer?: string,
): Promise<SocketClient> {
  const client = await t.raw();
  client.write(handshakeText(t.host.mount + target, offering(options, offer)));
  return client;
}

/** What a client that offers `weir.1` is told, and how its connection ends. */
async function told(
  t: Contract,
  target?: string,
  options?: HandshakeOptions,
  offer?: string,
): Promise<[frame: Readonly<Record<string, unknown>>, code: number, reason: string]> {
  const client = await knock(t, target, options, offer);
  const { headers } = await client.upgraded();
  assert.equal(headers.get("sec-websocket-protocol"), "weir.1");
  const { messages, ending: { code, reason } } = await client.finish();
  assert.equal(messages.length, 1);
  client.destroy();
  return [messages[0], code, reason];
}

const error = (code: string, message: string, more = {}) => ({
  type: "error",
  message,
  code,
  ...more,
});

const later = { retry_after_ms: 1_000 };

const auth = `
  auth {
    jwt {
      secret = "${SECRET}"
    }
  }
`;

contract(
  "refused: by its origin and its token, each with its close code and counter",
  websocket(`origins = ["https://example.com"] ${auth}`) + flows,
  async (t) => {
    const good = await sign({ exp: Date.now() / 1000 + 3600 });
    const old = await sign({ exp: Date.now() / 1000 - 1 });
    const elsewhere = { headers: { Origin: "https://example.org" } };
    const origin = error("rejected", "pages of this origin may not connect");
    assert.deepEqual(await told(t, "/ws", elsewhere), [origin, 4403, "rejected"]);
    // The origin is judged first.
    assert.deepEqual(await told(t, `/ws?token=${good}`, elsewhere), [origin, 4403, "rejected"]);
    const missing = error("unauthorized", "a token is required");
    assert.deepEqual(await told(t), [missing, 4401, "unauthorized"]);
    const expired = error("unauthorized", "the token has expired");
    const invalid = error("unauthorized", "the token is not valid");
    assert.deepEqual(await told(t, `/ws?token=${old}`), [expired, 4401, "unauthorized"]);
    assert.deepEqual(await told(t, "/ws?token=nonsense"), [invalid, 4401, "unauthorized"]);
    // A token beside it is read, and never the answer.
    const offers = [`weir.1, ${old}`, `${old}, weir.1`, `other,${old},weir.1`];
    for (const offer of offers) {
      assert.deepEqual(await told(t, "/ws", {}, offer), [expired, 4401, "unauthorized"]);
    }
    const { refused_origin, refused_auth, error_unauthorized, closed_flow } = t.runtime.counts().ws;
    assert.deepEqual([refused_origin, refused_auth, error_unauthorized, closed_flow], [2, 6, 0, 0]);
    assert.deepEqual(t.probe.deliveries, []);
    // One that is let in gets the first that is not the token.
    const chosen = [[`weir.1, ${good}`, "weir.1"], [`${good}, weir.1`, "weir.1"], [
      `other, weir.1, ${good}`,
      "other",
    ]];
    for (const [offer, protocol] of chosen) {
      const client = await knock(t, "/ws", {}, offer);
      const { headers } = await client.upgraded();
      assert.equal(headers.get("sec-websocket-protocol"), protocol);
      await client.hearsNothing();
    }
  },
);

/** Others are refused as they always were. */
contract(
  "refused: without weir.1 the answer is the same plain response as ever",
  websocket(`origins = ["https://example.com"]\n max_connections = 1 ${auth}`) + flows,
  async (t) => {
    const elsewhere = { headers: { Origin: "https://example.org" } };
    const good = await sign({ exp: Date.now() / 1000 + 3600 });
    for (const offer of [null, "weir", "WEIR.1", "weir.10", "weir.1.x", "weir, weir.2"]) {
      const ask = async (target: string, { headers }: HandshakeOptions = {}) => {
        const options = { headers: { ...headers, [OFFER]: offer } };
        const { status, body, headers: answered } = await t.request(target, options);
        return [status, body, answered.get("www-authenticate"), answered.get("retry-after")];
      };
      const origin = "pages of this origin may not connect\n";
      assert.deepEqual(await ask("/ws", elsewhere), [403, origin, undefined, undefined]);
      const required = "a token is required\n";
      assert.deepEqual(await ask("/ws"), [401, required, "Bearer", undefined]);
      const client = await t.connect(`/ws?token=${good}`);
      const full = "too many connections\n";
      assert.deepEqual(await ask(`/ws?token=${good}`), [503, full, undefined, "1"]);
      client.destroy();
      await until("a free slot", () => t.runtime.counts().ws.connections === 0);
    }
  },
);

contract("refused: what is no handshake gets a plain response", websocket(), async (t) => {
  const wrong: readonly [number, HandshakeOptions, string?][] = [
    [405, { method: "POST" }],
    [426, { headers: { "Sec-WebSocket-Version": "8" } }],
    [426, { headers: { Upgrade: null, Connection: null } }],
    [400, { headers: { "Sec-WebSocket-Key": "short" } }],
    [400, {}, "weir.1, weir.1"],
    [400, {}, "weir.1, a b"],
    [400, {}, "weir.1,"],
  ];
  for (const [status, options, offer] of wrong) {
    const response = await t.request("/ws?user_id=%00", offering(options, offer));
    assert.deepEqual([offer, response.status], [offer, status]);
  }
  assert.equal((await t.request("/other", offering())).status, 404);
});

contract("refused: a user_id that is none", websocket(), async (t) => {
  const [{ message, ...rest }, code, reason] = await told(t, "/ws?user_id=%00");
  assert.deepEqual(rest, { type: "error", code: "invalid_message" });
  assert.match(String(message), /user_id/);
  assert.deepEqual([code, reason], [4403, "invalid_message"]);
  assert.equal(t.runtime.counts().ws.refused_request, 1);
});

const door = `${websocket()}${flows}
  type "arrival" {
    kind = string({ enum = ["plain", "own", "late", "fails", "answered", "waits"] })
  }
  flow "door" {
    timeout = "200ms"
    from {
      connector = "ws"
      operation = "connect"
      filter    = "client.params.kind != 'answered'"
    }
    accept {
      when = "client.params.kind != 'plain'"
    }
    validate {
      input = "arrival"
    }
    step "found" {
      connector = "probe"
      target    = "client.params.kind == 'fails' ? 'fail' : client.params.kind"
    }
    reject {
      when    = "client.params.kind == 'own'"
      code    = "no_member"
      message = "members only"
      status  = 503
    }
  }
  flow "answered" {
    from {
      connector = "ws"
      operation = "connect"
      filter    = "client.params.kind == 'answered'"
    }
    accept {
      when = "false"
    }
    error_handling {
      error_response {
        status = 429
        body {
          message = "'come back tomorrow'"
          day     = "'monday'"
        }
      }
    }
  }
`;

contract("refused: by a flow on connect, as a frame would be", door, async (t) => {
  const rejected = error("rejected", 'flow "door" rejected the event');
  assert.deepEqual(await told(t, "/ws?kind=plain"), [rejected, 4403, "rejected"]);
  const own = error("no_member", "members only");
  assert.deepEqual(await told(t, "/ws?kind=own"), [own, 4403, "no_member"]);
  const details = { message: "come back tomorrow", day: "monday" };
  const answered = error("rejected", "come back tomorrow", { details });
  assert.deepEqual(await told(t, "/ws?kind=answered"), [answered, 4403, "rejected"]);

  const [{ details: violations, ...invalid }, code, reason] = await told(t, "/ws?kind=other");
  const message = 'flow "door": the data is not a valid arrival';
  assert.deepEqual(invalid, error("validation_failed", message));
  assert.equal((violations as readonly { path: string }[])[0].path, "kind");
  assert.deepEqual([code, reason], [4403, "validation_failed"]);

  const [failed, ...ending] = await told(t, "/ws?kind=fails");
  assert.match(String(failed.message), /^flow "door" failed \(ref [0-9a-f]{8}\)$/);
  assert.deepEqual(failed, error("flow_failed", String(failed.message)));
  assert.deepEqual(ending, [4503, "flow_failed"]);

  t.probe.holds = true;
  const [late, ...end] = await told(t, "/ws?kind=late");
  assert.match(String(late.message), /\(ref [0-9a-f]{8}\)$/);
  assert.deepEqual(late, error("timeout", String(late.message), later));
  assert.deepEqual(end, [4503, "timeout"]);
  t.probe.releaseAll();
  const { connections, refused_flow, error_flow_failed, error_own } = t.runtime.counts().ws;
  assert.deepEqual([connections, refused_flow, error_flow_failed, error_own], [0, 6, 0, 0]);
  assert.equal(t.probe.targets.includes("ended"), false);
});

const slow = `${websocket("max_connections = 2")}${flows}
  flow "door" {
    timeout = "60s"
    from {
      connector = "ws"
      operation = "connect"
      filter    = "client.params.slow == 'yes'"
    }
    accept {
      step "found" {
        connector = "probe"
        target    = "members"
      }
      when = "step.found != null"
    }
  }
`;

contract("refused: a decision that takes ten seconds is unavailable", slow, async (t) => {
  // By default `Bun.serve` itself ends a request after ten seconds.
  if (t.host.sockets === "bun" && t.host.embedded) return;
  t.probe.holds = true;
  const [waiting, leaver] = [await knock(t, "/ws?slow=yes"), await knock(t, "/ws?slow=yes")];
  await t.probe.received(2);
  // Both have a slot while they wait.
  const full = error("unavailable", "too many connections", later);
  assert.deepEqual(await told(t), [full, 4503, "unavailable"]);
  leaver.destroy();
  // A client waits ten seconds by default.
  const { headers } = await waiting.upgraded().catch(() => waiting.upgraded());
  assert.equal(headers.get("sec-websocket-protocol"), "weir.1");
  const { messages, ending } = await waiting.finish();
  assert.deepEqual(messages, [error("unavailable", "the decision took too long", later)]);
  assert.deepEqual(ending, { code: 4503, reason: "unavailable" });
  await until("both decisions", () => t.runtime.counts().ws.refused_late === 2);
  t.probe.releaseAll();
  assert.equal(t.runtime.counts().ws.refused_full, 1);
  // Neither keeps its slot.
  for (const client of [await t.connect(), await t.connect()]) await client.hearsNothing();
});

contract(
  "refused: one that is upgraded takes no slot, whether or not it answers the close",
  websocket("max_connections = 1") + flows,
  async (t) => {
    const first = await t.connect();
    const full = error("unavailable", "too many connections", later);
    const silent = await Promise.all(Array.from({ length: 20 }, () => knock(t)));
    for (const client of silent) {
      await client.upgraded();
      assert.deepEqual(await client.hear(), full);
    }
    assert.deepEqual(await told(t), [full, 4503, "unavailable"]);
    assert.deepEqual(population(t.runtime), { connections: 1, rooms: 0, users: 0 });
    assert.equal(await t.runtime.broadcast("hello"), 1);
    assert.deepEqual(await first.hear(), { type: "message", data: "hello" });
    first.destroy();
    await until("a free slot", () => t.runtime.counts().ws.connections === 0);
    await (await t.connect()).hearsNothing();
    assert.equal(t.runtime.counts().ws.refused_full, 21);
  },
);

contract("refused: frames in the packet of the request are not served", door, async (t) => {
  const client = await t.raw();
  const frames = [1, 2, 3].map((id) =>
    encodeFrame({ payload: JSON.stringify({ type: "probe", id }) })
  );
  const head = handshakeText(`${t.host.mount}/ws?kind=plain`, offering());
  client.write(Buffer.concat([Buffer.from(head), ...frames]));
  await client.upgraded();
  const { messages, ending } = await client.finish();
  assert.deepEqual(messages, [error("rejected", 'flow "door" rejected the event')]);
  assert.equal(ending.code, 4403);
  assert.deepEqual(t.probe.deliveries, []);
});

contract("refused: many at once that send a ping as soon as they are open", door, async (t) => {
  const url = `ws://127.0.0.1:${t.running.port}${t.host.mount}/ws?kind=own`;
  const knocks = () =>
    new Promise<string>((resolve) => {
      const socket = new WebSocket(url, "weir.1");
      let told = "";
      socket.onopen = () => socket.send('{"type":"ping"}');
      socket.onmessage = ({ data }) => told = JSON.parse(data).code;
      socket.onerror = () => {}; // "close" follows.
      socket.onclose = ({ code }) => resolve(`${told} ${code}`);
    });
  // They share an event loop with the server, and Deno waits for a ping no longer than 1.5 s.
  for (let round = 0; round < 4; round++) {
    const heard = await Promise.all(Array.from({ length: 50 }, knocks));
    assert.deepEqual(new Set(heard), new Set(["no_member 4403"]));
  }
});

contract("refused: a server that shuts down is unavailable", websocket() + flows, async (t) => {
  const client = await t.connect();
  t.probe.holds = true;
  client.say({ type: "probe", id: 1 });
  await t.probe.received(1);
  const closed = t.runtime.close();
  const full = error("unavailable", "the server is shutting down", later);
  assert.deepEqual(await told(t), [full, 4503, "unavailable"]);
  assert.equal((await t.request("/ws")).status, 503);
  t.probe.releaseAll();
  assert.deepEqual((await client.finish()).messages, [{ type: "ack", id: 1 }]);
  await closed;
  assert.deepEqual(await told(t), [full, 4503, "unavailable"]);
  assert.equal(t.runtime.counts().ws.refused_shutdown, 3);
});
