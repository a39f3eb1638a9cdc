/** The metrics of a `websocket` connector: each moves where its thing is done, and no client adds any. */
import assert from "node:assert/strict";
import { scrape, untilMetrics } from "../support/metrics.ts";
import { closeCode, contract, flows, websocket } from "../support/socket-contract.ts";

const ON = { metrics: true };
const JOINING = ["join_room", "leave_room"].map((operation) => `
  flow "${operation}" {
    from {
      connector = "ws"
      operation = "${operation}"
    }
  }
`).join("");

/** A series of the connector "ws". */
function ws(name: string, ...labels: readonly string[]): string {
  return `weir_websocket_${name}{${['connector="ws"', ...labels].join(",")}}`;
}

const result = (value: string) => ws("handshakes_total", `result="${value}"`);
const received = (type: string) => ws("frames_received_total", `type="${type}"`);
const closes = (by: string, code: number | string) =>
  ws("closes_total", `by="${by}"`, `code="${code}"`);

contract(
  "metrics: who is there, what arrives and what is answered",
  websocket('origins = ["https://example.com"]') + flows + JOINING,
  async (t) => {
    assert.equal((await t.request("/ws", { headers: { Origin: "https://a.org" } })).status, 403);
    const [one, two] = [await t.connect("/ws?user_id=u"), await t.connect("/ws?user_id=u")];
    await one.ask({ type: "join_room", room: "a", id: 1 });
    await two.ask({ type: "join_room", room: "b", id: 1 });
    await untilMetrics(t.runtime, {
      [result("accepted")]: 2,
      [result("origin")]: 1,
      [ws("connections")]: 2,
      [ws("rooms")]: 2,
      [ws("users")]: 1,
      [received("join_room")]: 2,
    });
    assert.equal((await one.ask({ type: "echo", id: 2, data: 1 })).type, "ack");
    await one.ask({ type: "ping" });
    await one.ask({ type: "nonsense" });
    one.send({ payload: "[" });
    await one.hear();
    const before = await untilMetrics(t.runtime, {
      [received("echo")]: 1,
      [received("ping")]: 1,
      [received("other")]: 1,
      [received("invalid")]: 1,
      [ws("errors_total", 'code="unknown_type"')]: 1,
      [ws("errors_total", 'code="invalid_json"')]: 1,
      'weir_flow_events_total{flow="echo",outcome="ok"}': 1,
      'weir_flow_events_total{flow="probe",outcome="ok"}': 0,
    });
    // A frame to each of two clients.
    const sent = before.value("weir_websocket_frames_sent_total");
    const bytes = before.value("weir_websocket_sent_bytes_total");
    assert.equal(sent, 6);
    await t.runtime.broadcast("hello");
    const text = JSON.stringify(await one.hear());
    await two.hear();
    await untilMetrics(t.runtime, {
      [ws("frames_sent_total")]: sent + 2,
      // Two bytes of header.
      [ws("sent_bytes_total")]: bytes + 2 * (2 + text.length),
    });
  },
  ON,
);

contract(
  "metrics: ends of connections by who closed them and the code",
  websocket() + flows,
  async (t) => {
    const [leaving, odd, wrong] = [await t.connect(), await t.connect(), await t.connect()];
    leaving.close(1000);
    odd.close(4321);
    wrong.send({ opcode: 2, payload: "binary" });
    for (const client of [leaving, odd, wrong]) await client.finish();
    await untilMetrics(t.runtime, {
      [closes("client", 1000)]: 1,
      [closes("client", "other")]: 1,
      [closes("server", 1003)]: 1,
      [ws("server_closes_total", 'reason="binary"')]: 1,
      [ws("connections")]: 0,
    });
  },
  ON,
);

const FILLER = "x".repeat(64 * 1024);
/** So many fillers are more than any kernel keeps. */
const MOST = 1000;

for (const policy of ["disconnect", "drop_oldest"] as const) {
  contract(
    `metrics: a client that does not read, with ${policy}`,
    websocket(`slow_client {\n queue = "1MB"\n policy = "${policy}"\n}`) + flows,
    async (t) => {
      const slow = await t.connect();
      slow.socket.pause();
      let queued = 0;
      for (let n = 0; n < MOST; n++) {
        if (await t.runtime.broadcast(FILLER) === 0) break;
        // The sockets take what they can.
        await new Promise((resolve) => setTimeout(resolve, 0));
        const now = await scrape(t.runtime);
        queued = Math.max(queued, now.value("weir_websocket_queue_bytes"));
        if (now.value("weir_websocket_frames_unsent_total", { reason: "dropped" }) > 0) break;
      }
      assert.ok(queued > FILLER.length, `${queued} bytes waited`);
      if (policy === "disconnect") {
        await untilMetrics(t.runtime, { [ws("server_closes_total", 'reason="slow"')]: 1 });
        slow.socket.resume();
        assert.equal((await slow.finish()).ending.code, closeCode(t.host, 1013));
        await untilMetrics(t.runtime, { [closes("server", 1013)]: 1 });
      } else {
        slow.destroy();
        await untilMetrics(t.runtime, {
          [ws("frames_unsent_total", 'reason="undelivered"')]: (count) => count > 0,
        });
      }
      await untilMetrics(t.runtime, {
        [ws("queue_bytes")]: 0,
        [ws("connections")]: 0,
        [ws("frames_unsent_total", 'reason="coalesced"')]: 0,
      });
    },
    ON,
  );
}

contract(
  "metrics: a lost ping",
  websocket('ping_interval = "200ms"\n pong_timeout = "100ms"') + flows,
  async (t) => {
    if (!t.host.features.ping) return;
    await t.connect("/ws", { answerPings: false });
    await untilMetrics(t.runtime, {
      [ws("server_closes_total", 'reason="pong"')]: 1,
      [closes("server", 1006)]: 1,
    });
  },
  ON,
);

contract(
  "metrics: presence and history",
  websocket(`
    room "doc:*" {
      presence {
      }
      history {
        size = 4
        ttl  = "1h"
      }
    }
  `) + flows + JOINING,
  async (t) => {
    const one = await t.connect("/ws?user_id=one");
    const wishes = { presence: true, history: true };
    const joined = await one.ask({ type: "join_room", room: "doc:1", id: 1, ...wishes });
    assert.equal(joined.type, "ack");
    await t.runtime.sendToRoom("doc:1", "kept");
    await untilMetrics(t.runtime, {
      [ws("presence_members")]: 1,
      [ws("presence_frames_total")]: (count) => count > 0,
      [ws("history_rooms")]: 1,
      [ws("history_messages")]: 1,
      [ws("history_resumes_total", 'result="resumed"')]: 0,
    });
    const two = await t.connect();
    const join = (epoch: unknown) =>
      two.say({ type: "join_room", room: "doc:1", id: 1, history: { epoch, offset: 0 } });
    join(joined.epoch);
    await untilMetrics(t.runtime, { [ws("history_resumes_total", 'result="resumed"')]: 1 });
    two.say({ type: "leave_room", room: "doc:1" });
    join("another");
    await untilMetrics(t.runtime, { [ws("history_resumes_total", 'result="unrecovered"')]: 1 });
  },
  ON,
);

contract(
  "metrics: a client that invents names adds no series",
  websocket() + flows + JOINING,
  async (t) => {
    /** Does everything once, so that each series is there. */
    const act = async (n: number): Promise<void> => {
      const client = await t.connect(`/ws?user_id=user-${n}&page=page-${n}`);
      await client.ask({ type: "join_room", room: `room-${n}`, id: `id-${n}` });
      await client.ask({ type: `type-${n}`, id: n });
      await client.ask({ type: "echo", id: n, data: { [`field-${n}`]: n } });
      client.send({ payload: `{${n}` });
      await client.hear();
      client.close(3000 + n, `reason ${n}`);
      await client.finish();
    };
    await act(0);
    const all = { [ws("connections")]: 0, [closes("client", "other")]: 1 };
    const names = async (count: number) => [
      ...(await untilMetrics(t.runtime, { ...all, [closes("client", "other")]: count })).series
        .keys(),
    ];
    const before = await names(1);
    for (let n = 1; n <= 50; n++) await act(n);
    assert.deepEqual(await names(51), before);
  },
  ON,
);

contract("metrics: without the option there are none", websocket() + flows, async (t) => {
  await assert.rejects(t.runtime.metrics(), {
    name: "TypeError",
    message: "metrics are off; start the service with the option metrics: true",
  });
});
