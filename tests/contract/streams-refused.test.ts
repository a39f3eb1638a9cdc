/** Who gets no stream, and why: the order of the checks, rooms, tokens, pages, slots. */
import assert from "node:assert/strict";
import { SECRET, sign } from "../support/auth.ts";
import { population } from "../support/population.ts";
import { type Contract, contract, flows, websocket } from "../support/socket-contract.ts";
import { until } from "../support/socket-probe.ts";
import type { StreamClient, StreamOptions } from "../support/stream-client.ts";

const streaming = (attributes = "") => websocket(`sse = "/events"\n${attributes}`);

/** The status and the code of the error of a request that is refused. */
async function refusal(
  t: Contract,
  target: string,
  options?: StreamOptions,
): Promise<[status: number, code: unknown]> {
  const client = await t.stream(target, options);
  const body = await client.body();
  const code = body === "" ? undefined : JSON.parse(body).error.code;
  if (body !== "") assert.equal(client.headers.get("content-type"), "application/json");
  client.destroy();
  return [client.status, code];
}

/** Refuses who says so in the query; other rooms than "open" are for ann alone. */
const guarded = (attributes: string) =>
  streaming(`
    origins         = ["https://app.example"]
    max_connections = 1
    max_rooms       = 3
    room "open*" {
    }
    room "closed" {
      join = "false"
    }
    ${attributes}
  `) + `
    flow "door" {
      from {
        connector = "ws"
        operation = "connect"
      }
      accept {
        when = "!has(input.bad)"
      }
    }
    flow "gate" {
      from {
        connector = "ws"
        operation = "join_room"
      }
      accept {
        when = "input.room != 'open:not'"
      }
    }
  `;

const jwt = `auth {
  jwt {
    secret = "${SECRET}"
  }
}`;

const token = (claims: Readonly<Record<string, unknown>> = {}, seconds = 3600): Promise<string> =>
  sign({ exp: Date.now() / 1000 + seconds, ...claims });

contract("streams refused: the checks have an order", guarded(jwt), async (t) => {
  const foreign = { Origin: "https://evil.example" };
  const worst = "?bad=1&room=&room=closed";
  const rows: [string, StreamOptions, number, string | undefined][] = [
    [
      worst,
      { method: "POST", headers: { Accept: "text/html", ...foreign } },
      405,
      "method_not_allowed",
    ],
    [worst, { method: "PUT", headers: { "Content-Length": "0" } }, 405, "method_not_allowed"],
    [worst, { headers: { Accept: "text/html", ...foreign } }, 406, "not_acceptable"],
    [worst, { headers: foreign }, 403, "rejected"],
    [worst, {}, 401, "unauthorized"],
    [`${worst}&token=bad`, {}, 401, "unauthorized"],
    [`${worst}&token=${await token()}`, {}, 403, "rejected"],
    [`?room=closed&room=&token=${await token()}`, {}, 400, "invalid_room"],
    [`?room=open&room=closed&token=${await token()}`, {}, 403, "room_forbidden"],
    [`?room=open:not&token=${await token()}`, {}, 403, "rejected"],
  ];
  for (const [query, options, status, code] of rows) {
    const found = await refusal(t, `/events${query}`, options);
    assert.deepEqual([query, options, ...found], [query, options, status, code]);
  }
  assert.equal(t.runtime.counts().ws.refused_room, 3);
  assert.equal((await t.stream(`/events?room=open&token=${await token()}`)).status, 200);
  const good = `/events?room=open&token=${await token()}`;
  assert.deepEqual(await refusal(t, good), [503, "unavailable"]);
  assert.equal(t.runtime.counts().ws.refused_full, 1);
  await t.runtime.close();
  assert.deepEqual(await refusal(t, `/events${worst}`), [503, "unavailable"]);
  assert.deepEqual(
    await refusal(t, "/events", { headers: { Accept: "text/html" } }),
    [406, "not_acceptable"],
  );
});

contract("streams refused: HEAD gets 405 and no body", streaming(), async (t) => {
  const client = await t.stream("/events", { method: "HEAD" });
  assert.deepEqual([client.status, client.headers.get("allow")], [405, "GET, OPTIONS"]);
});

contract("streams refused: a client that prefers something else", streaming(), async (t) => {
  const good = [
    "text/event-stream",
    "TEXT/Event-Stream; q=0.5",
    "text/html, text/event-stream",
    "*/*",
    "*/*;q=0.1",
  ];
  const bad = [
    null,
    "",
    "text/html",
    "text/*",
    "text/html,application/xhtml+xml,*/*;q=0.8",
    "text/event-stream;q=0",
    "text/event-stream ; q=0.000",
    "text/event-streams",
    "*/*;q=0",
    "application/json",
  ];
  for (const accept of good) {
    const client = await t.stream("/events", { headers: { Accept: accept } });
    assert.deepEqual([accept, client.status], [accept, 200]);
    client.destroy();
  }
  for (const accept of bad) {
    // A runtime may say that a client without the header accepts everything.
    const found = await refusal(t, "/events", { headers: { Accept: accept } });
    assert.deepEqual([accept, ...found], [accept, 406, "not_acceptable"]);
  }
});

contract(
  "streams refused: rooms that are no names, and too many of them",
  streaming("max_rooms = 2") + flows,
  async (t) => {
    const bad = ["", "%00", "a%0Ab", "%7F", "%C2%85", "a".repeat(256), "%C3%A4".repeat(128)];
    for (const room of bad) {
      const found = await refusal(t, `/events?room=good&room=${room}`);
      assert.deepEqual([room, ...found], [room, 400, "invalid_room"]);
    }
    assert.deepEqual(await refusal(t, "/events?room=a&room=b&room=c"), [400, "too_many_rooms"]);
    assert.deepEqual(await refusal(t, "/events?user_id=%00"), [400, "invalid_message"]);
    // Repeated ones are one; other names are plain text.
    for (
      const query of ["room=a&room=b&room=a", "room=*&room=%23", "room=__proto__", "room=a%26b"]
    ) {
      const client = await t.stream(`/events?${query}`);
      assert.deepEqual([query, client.status], [query, 200]);
      client.destroy();
    }
    assert.equal(t.runtime.counts().ws.refused_room, bad.length + 1);
    assert.equal(t.runtime.counts().ws.refused_request, 1);
  },
);

contract(
  "streams refused: all slots are taken, by sockets or streams",
  streaming("max_connections = 2") + flows,
  async (t) => {
    await t.connect("/ws");
    const stream = await t.stream("/events");
    assert.equal(stream.status, 200);
    assert.equal((await t.request("/ws")).status, 503);
    const refused = await t.stream("/events");
    assert.equal(refused.status, 503);
    assert.match(refused.headers.get("retry-after") ?? "", /^[1-9]\d*$/);
    stream.destroy();
    await until("a free slot", () => population(t.runtime).connections === 1);
    assert.equal((await t.stream("/events")).status, 200);
  },
);

contract("streams refused: the path is compared literally", streaming(), async (t) => {
  for (const target of ["/events/", "//events", "/%65vents", "/Events"]) {
    assert.deepEqual([target, (await t.stream(target)).status], [target, 404]);
  }
  // Hono gets the target from Deno's own server as it came.
  if (t.host.name === "deno Hono") return;
  assert.equal((await t.stream("/x/../events")).status, 200);
});

const cookies = streaming(`
  origins = ["https://app.example"]
  auth {
    jwt {
      secret = "${SECRET}"
    }
    from = ["cookie:session", "header:authorization", "query:token"]
  }
`);

contract("streams refused: a cookie counts for own pages alone", cookies, async (t) => {
  const good = await token();
  const cookie = { Cookie: `session=${good}` };
  const status = async (headers: Record<string, string>, query = ""): Promise<number> => {
    const client = await t.stream(`/events${query}`, { headers });
    client.destroy();
    return client.status;
  };
  assert.equal(await status({ ...cookie, Origin: "https://app.example" }), 200);
  assert.equal(await status({ ...cookie, "Sec-Fetch-Site": "same-origin" }), 200);
  assert.equal(await status(cookie), 403);
  for (const site of ["cross-site", "same-site", "none", "nonsense"]) {
    assert.deepEqual([site, await status({ ...cookie, "Sec-Fetch-Site": site })], [site, 403]);
  }
  assert.equal(await status({ ...cookie, Origin: "https://evil.example" }), 403);
  assert.equal(await status({ ...cookie, Origin: "null" }), 403);
  // A token that only the sender can know needs none of that.
  assert.equal(await status({ Authorization: `Bearer ${good}` }), 200);
  assert.equal(await status({ ...cookie, Authorization: `Bearer ${good}` }), 200);
  assert.equal(await status({}, `?token=${good}`), 200);
  assert.equal(await status({}), 401);
  assert.equal(await status({ Cookie: "other=1" }), 401);
});

contract("streams refused: which pages may read the answers", cookies, async (t) => {
  const asked = async (headers: Record<string, string>, method = "GET") => {
    const { status, headers: answered } = await t.stream("/events", { method, headers });
    const of = (name: string) => answered.get(`access-control-${name}`);
    return {
      status,
      origin: of("allow-origin"),
      credentials: of("allow-credentials"),
      of,
      answered,
    };
  };
  const own = { Origin: "https://app.example" };
  const refused = await asked(own);
  assert.deepEqual([refused.status, refused.origin, refused.credentials], [
    401,
    own.Origin,
    "true",
  ]);
  assert.match(refused.answered.get("vary") ?? "", /Origin/);
  const opened = await asked({ ...own, Authorization: `Bearer ${await token()}` });
  assert.deepEqual([opened.status, opened.origin, opened.credentials], [200, own.Origin, "true"]);
  const foreign = await asked({ Origin: "https://evil.example" });
  assert.deepEqual([foreign.status, foreign.origin, foreign.credentials], [
    403,
    undefined,
    undefined,
  ]);
  assert.match(foreign.answered.get("vary") ?? "", /Origin/);
  const preflight = {
    "Access-Control-Request-Method": "GET",
    "Access-Control-Request-Headers": "authorization",
  };
  const allowed = await asked({ ...own, ...preflight }, "OPTIONS");
  assert.deepEqual(
    [allowed.status, allowed.origin, allowed.of("allow-methods"), allowed.of("allow-headers")],
    [204, own.Origin, "GET", "authorization"],
  );
  const denied = await asked({ Origin: "https://evil.example", ...preflight }, "OPTIONS");
  assert.deepEqual(
    [denied.status, denied.origin, denied.of("allow-methods"), denied.of("allow-headers")],
    [204, undefined, undefined, undefined],
  );
});

contract("streams refused: without a list of origins any page may read", streaming(), async (t) => {
  const { status, headers } = await t.stream("/events", {
    headers: { Origin: "https://any.example" },
  });
  assert.deepEqual(
    [status, headers.get("access-control-allow-origin")],
    [200, "*"],
  );
  assert.equal(headers.get("access-control-allow-credentials"), undefined);
});

contract("streams refused: at the token's expiry a stream ends", streaming(jwt), async (t) => {
  const short = await sign({ exp: Math.floor(Date.now() / 1000) + 2 });
  const client = await t.stream("/events", { headers: { Authorization: `Bearer ${short}` } });
  assert.equal(client.status, 200);
  assert.equal(await t.runtime.sendToUser("ana", 1), 1);
  assert.deepEqual(await client.hear(), { type: "message", data: 1 });
  const { code, reason, id } = await client.ending();
  assert.deepEqual([code, reason, id], [1008, "token expired", undefined]);
  // Where a browser comes back with it, it is told to stop.
  assert.deepEqual(await refusal(t, `/events?token=${short}`), [401, "unauthorized"]);
  assert.equal(t.runtime.counts().ws.closed_expired, 1);
});

/** A flow that asks the probe before it lets somebody in. */
const asks = (operation: string) => `
  flow "${operation} asks" {
    from {
      connector = "ws"
      operation = "${operation}"
    }
    accept {
      step "member" {
        connector = "probe"
      }
      when = "step.member == null"
    }
  }
`;

for (const operation of ["connect", "join_room"]) {
  contract(
    `streams refused: who leaves while ${operation} decides is gone, and the slot is free`,
    streaming("max_connections = 1") + asks(operation) + flows,
    async (t) => {
      t.probe.holds = true;
      const waiting = t.stream("/events?room=r").catch((): StreamClient | undefined => undefined);
      await t.probe.received(1);
      const full = await t.stream("/events");
      assert.equal(full.status, 503);
      t.destroyAll();
      await waiting;
      t.probe.releaseAll();
      await until("a free slot", async () => {
        const client = await t.stream("/events?room=r");
        client.destroy();
        return client.status === 200;
      });
      await until("an empty hub", () => population(t.runtime).connections === 0);
    },
  );

  contract(
    `streams refused: a shutdown while ${operation} decides`,
    streaming() + asks(operation),
    async (t) => {
      t.probe.holds = true;
      const waiting = t.stream("/events?room=r");
      await t.probe.received(1);
      const closed = t.runtime.close();
      t.probe.releaseAll();
      const client = await waiting;
      const { error } = JSON.parse(await client.body());
      assert.deepEqual([client.status, error.code], [503, "unavailable"]);
      await closed;
    },
  );
}
