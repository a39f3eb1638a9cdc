/** What is told of a member: the configuration's `info`, and the `data` of its client. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { ManualClock } from "../support/clock.ts";
import { joins, presenceHub, told } from "../support/presence.ts";
import type { FakeClient } from "../support/worker-runtimes.ts";

const DOC = `
  room "doc:{id}" {
    presence {
      info = "{'name': client.params.name, 'doc': match.id, 'room': room}"
      data = "status"
    }
  }
`;

const STATUS = `
  type "status" {
    status = string({ max_length = 2000 })
    line   = integer({ default = 1 })
  }
`;

async function started(rooms = DOC, more = STATUS) {
  const clock = new ManualClock();
  return { clock, ...await presenceHub(rooms, { clock, more }) };
}

interface Answer {
  readonly type: string;
  readonly code?: string;
  readonly details?: unknown;
}

async function answer(client: FakeClient, frame: Readonly<Record<string, unknown>>) {
  const heard = await client.ask({ ...frame, id: "ask" }) as (Answer & { readonly id?: unknown })[];
  const { type, code } = heard.find(({ id }) => id === "ask") ?? { type: "none", code: undefined };
  return code ?? type;
}

const info = (name: string) => ({ name, doc: "1", room: "doc:1" });

test("info sees the client, the room and its names, and is that of the newest connection", async () => {
  const { clock, open } = await started();
  const ada = await open("ada", "name=Ada");
  await joins(ada, "doc:1", true);
  assert.deepEqual(await told(ada), [
    { count: 1, members: [{ user_id: "ada", connections: 1, info: info("Ada") }] },
  ]);
  const second = await open("ada", "name=Countess");
  await joins(second, "doc:1");
  await clock.advance(110);
  assert.deepEqual(await told(ada), [
    { count: 1, changed: [{ user_id: "ada", connections: 2, info: info("Countess") }] },
  ]);
  second.leave();
  await clock.advance(110);
  assert.deepEqual(await told(ada), [
    { count: 1, changed: [{ user_id: "ada", connections: 1, info: info("Ada") }] },
  ]);
});

test("a client tells its own data in the join and later; the type has the last word", async () => {
  const { clock, open } = await started();
  const ada = await open("ada", "name=Ada");
  await joins(ada, "doc:1", { status: "reading" });
  const member = { user_id: "ada", connections: 1, info: info("Ada") };
  const data = { status: "reading", line: 1 };
  assert.deepEqual(await told(ada), [{ count: 1, members: [{ ...member, data }] }]);
  const frame = { type: "presence", room: "doc:1", data: { status: "typing", line: 7 } };
  assert.equal(await answer(ada, frame), "ack");
  await clock.advance(110);
  assert.deepEqual(await told(ada), [
    { count: 1, changed: [{ ...member, data: { status: "typing", line: 7 } }] },
  ]);
  // The same again is no change. Without an id there is no answer.
  ada.tell(frame);
  await clock.advance(110);
  assert.deepEqual(await told(ada), []);
  // A join that tells nothing leaves what was told.
  await joins(ada, "doc:1", true);
  const [{ members }] = await told(ada);
  assert.deepEqual(members?.[0].data, { status: "typing", line: 7 });
});

test("the data of a member is what was told last, and goes with the connection that told it", async () => {
  const { clock, open, write } = await started();
  const data = async () => {
    await clock.advance(110);
    const { members } = await write("presence", "doc:1") as {
      members: readonly { data?: { status: string } }[];
    };
    return members[0].data?.status;
  };
  const [one, two] = [await open("ada"), await open("ada")];
  await joins(one, "doc:1", { status: "one" });
  await joins(two, "doc:1", { status: "two" });
  assert.equal(await data(), "two");
  await answer(one, { type: "presence", room: "doc:1", data: { status: "one again" } });
  assert.equal(await data(), "one again");
  await answer(two, { type: "presence", room: "doc:1", data: { status: "two" } });
  assert.equal(await data(), "two", "what it has told before is told last now");
  one.leave();
  assert.equal(await data(), "two");
  // Whoever comes back tells its data anew.
  two.cut();
  assert.equal(await data(), "two");
  await joins(await open("ada"), "doc:1");
  assert.equal(await data(), undefined);
});

test("nonsense in the join: the client is told, and is no member", async () => {
  const { open, connector } = await started();
  const cases: [unknown, string][] = [
    [5, "invalid_message"],
    ["yes", "invalid_message"],
    [[], "invalid_message"],
    [null, "invalid_message"],
    [{ status: 5 }, "validation_failed"],
    [{}, "validation_failed"],
    [{ status: "x", more: 1 }, "validation_failed"],
    [{ status: "x".repeat(1100) }, "invalid_message"],
    [{ status: "ü".repeat(600) }, "invalid_message"],
    // Its default makes it too large.
    [{ status: "x".repeat(1010) }, "invalid_message"],
  ];
  for (const [presence, code] of cases) {
    const ada = await open("ada");
    assert.equal(await answer(ada, { type: "join_room", room: "doc:1", presence }), code);
    assert.equal(connector.counts?.().presence_members, 0, JSON.stringify(presence));
    assert.equal(connector.counts?.().rooms, 0);
    // A member stays one.
    await joins(ada, "doc:1");
    assert.equal(await answer(ada, { type: "join_room", room: "doc:1", presence }), code);
    assert.equal(connector.counts?.().presence_members, 1);
    ada.leave();
  }
});

test("nonsense in a presence frame", async () => {
  const { open } = await started(`${DOC}
    room "quiet" {
      presence {
      }
    }
    room "plain" {
    }
  `);
  const ada = await open("ada");
  await joins(ada, "doc:1");
  await joins(ada, "quiet");
  await joins(ada, "plain");
  const data = { status: "here" };
  const cases: [Readonly<Record<string, unknown>>, string][] = [
    [{ data }, "invalid_room"],
    [{ room: 5, data }, "invalid_room"],
    [{ room: "", data }, "invalid_room"],
    [{ room: "x".repeat(300), data }, "invalid_room"],
    [{ room: "doc:2", data }, "invalid_message"],
    [{ room: "elsewhere", data }, "invalid_message"],
    [{ room: "quiet", data }, "invalid_message"],
    [{ room: "plain", data }, "invalid_message"],
    [{ room: "doc:1" }, "validation_failed"],
    [{ room: "doc:1", data: null }, "validation_failed"],
    [{ room: "doc:1", data: [1] }, "validation_failed"],
    [{ room: "doc:1", data: "text" }, "validation_failed"],
    [{ room: "doc:1", data: { status: "x".repeat(1100) } }, "invalid_message"],
  ];
  for (const [frame, code] of cases) {
    assert.equal(await answer(ada, { type: "presence", ...frame }), code, JSON.stringify(frame));
  }
  const [refusal] = await ada.ask({ type: "presence", room: "doc:1", data: {}, id: 1 });
  const details = [{ path: "status", message: "is missing" }];
  assert.deepEqual((refusal as Answer).details, details);
});

test("a connector without presence does not know the frame", async () => {
  const { open } = await started("", "");
  const ada = await open("ada");
  assert.equal(await answer(ada, { type: "presence", room: "r", data: {} }), "unknown_type");
});

test("an info that fails or is too large refuses the join, and keeps no member out that is in", async () => {
  const { open, connector, log, write } = await started(`
    room "deep" {
      presence {
        info = "client.params.a / 0"
      }
    }
    room "large" {
      presence {
        info = "client.params.name"
      }
    }
  `);
  const ada = await open("ada", `a=1&name=${"x".repeat(1100)}`);
  for (const room of ["deep", "large"]) {
    const [refusal] = await ada.ask({ type: "join_room", room, presence: true, id: 1 });
    const { code, message } = refusal as Answer & { readonly message: string };
    assert.equal(code, "flow_failed");
    const [, ref] = /\(ref (\w+)\)$/.exec(message) ?? [];
    assert.ok(ref && log.records.at(-1)?.text.includes(ref), "the log has the reference");
  }
  assert.equal(connector.counts?.().rooms, 0);
  // Who is ordered to join is a member without an info.
  await write("join_room", "large", { user: { source: "", evaluate: () => "ada" } });
  assert.deepEqual(write("presence", "large"), {
    count: 1,
    members: [{ user_id: "ada", connections: 1 }],
  });
});
