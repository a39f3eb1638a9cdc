import assert from "node:assert/strict";
import { join } from "node:path";
import { stageTest } from "../support/process.ts";
import type { Message } from "../support/socket-client.ts";
import { until } from "../support/socket-probe.ts";
import { ack, departures, openClient, rowsOf, startTalk } from "../support/talk.ts";

/** What a client would have to be believed for, as JSON text: `__proto__` is a key like any other. */
const claims = [
  '{"user_id":"bob","event":"disconnect","client_id":"1","room":"staff","rooms":["staff"]}',
  '{"client":{"user_id":"bob","id":"1"},"output":{"user_id":"bob"},"constants":{"user_id":"bob"}}',
  '{"__proto__":{"user_id":"bob","polluted":true},"to":"me"}',
  '{"constructor":{"prototype":{"polluted":true}},"prototype":null,"hasOwnProperty":1}',
  '{"__proto__":null,"toString":"x","valueOf":null,"then":"x"}',
];

stageTest("data that claims to be somebody changes nobody's identity", async (stage) => {
  const talk = await startTalk(stage);
  const mallory = await openClient(talk.weir, { user: "mallory" });
  const nobody = await openClient(talk.weir);
  const bob = await openClient(talk.weir, { user: "bob" });
  for (const client of [mallory, nobody]) {
    const user_id = client === mallory ? "mallory" : null;
    for (const claim of claims) {
      const data = claim.replace("{", '{"to":"me",');
      client.send({ payload: `{"type":"message","data":${data},"user_id":"bob","client_id":"1"}` });
      const answer = await client.hear();
      const { data: returned, ...rest } = answer.data as Message;
      const expected = { text: null, user_id, client_user_id: user_id, event: "message" };
      assert.deepEqual(rest, { ...expected, own_client_id: true });
      // As text, since a comparison of objects does not see a key called "__proto__".
      assert.equal(JSON.stringify(returned), JSON.stringify(JSON.parse(data)));
    }
  }

  const forged = '{"to":"database","text":"hi","user_id":"bob","event":"connect"}';
  mallory.send({ payload: `{"type":"message","data":${forged},"id":1}` });
  assert.deepEqual(await mallory.hear(), ack(1));
  const said = rowsOf(join(talk.folder, "data/talk.db"), "said");
  assert.deepEqual(said, [{ user_id: "mallory", event: "message", text: "hi" }]);

  // The claimed room is nobody's, and Bob has not been sent anything.
  await bob.hearsNothing();
  const health = await fetch(`http://127.0.0.1:${talk.weir.port}/health/live`);
  assert.deepEqual(await health.json(), { status: "ok" });
  for (const client of [mallory, nobody, bob]) client.close();
});

stageTest("rooms and users with the names of prototypes are plain names", async (stage) => {
  const talk = await startTalk(stage);
  for (const name of ["__proto__", "constructor", "hasOwnProperty", "toString"]) {
    const member = await openClient(talk.weir, { user: name, rooms: [name] });
    const stranger = await openClient(talk.weir, { user: `${name}1` });
    for (const to of [{ to: "room", room: name }, { to: "user", user: name }]) {
      stranger.say({ type: "message", data: to, id: 1 });
      assert.deepEqual(await stranger.hear(), ack(1));
      const frame = { type: "message", data: to };
      assert.deepEqual(await member.hear(), to.to === "room" ? { ...frame, room: name } : frame);
    }
    for (const client of [member, stranger]) {
      client.close();
      assert.equal((await client.ending()).code, 1000);
    }
  }
});

stageTest(
  "a frame of the type disconnect, or of any that is not a client's, runs nothing",
  async (stage) => {
    const talk = await startTalk(stage);
    const client = await openClient(talk.weir, { user: "anna", rooms: ["a"] });
    const types = [
      "disconnect",
      "connect",
      "ack",
      "error",
      "pong",
      "dropped",
      "presence",
      "resync",
    ];
    for (const type of [...types, "__proto__", "constructor", "toString", "schedule"]) {
      const answer = await client.ask({ type, room: "a", data: { user_id: "bob" }, id: 7 });
      assert.deepEqual([answer.type, answer.code, answer.id], ["error", "unknown_type", 7], type);
    }
    await client.hearsNothing();
    assert.deepEqual(departures(talk), []);
    client.close();
    assert.equal((await client.ending()).code, 1000);
    await until("the departure", () => departures(talk).length > 0);
    talk.weir.signal("SIGTERM");
    await talk.weir.ended();
    assert.deepEqual(departures(talk), [{ user_id: "anna", rooms: '["a"]', code: 1000 }]);
  },
);
