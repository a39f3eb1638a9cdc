/** The frames of one connection over a backplane: together on their way, answered in their order. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { until } from "../support/mq.ts";
import { BUS, loadLinked, withBackplane } from "../support/backplane-runtimes.ts";

const CONFIG = `${BUS}
  connector "ws" {
    type      = "websocket"
    port      = 0
    backplane = "bus"
  }
  flow "say" {
    from {
      connector = "ws"
      operation = "say"
    }
    to {
      connector = "ws"
      operation = "send_to_room"
      target    = "constants.room"
    }
  }
  flow "echo" {
    from {
      connector = "ws"
      operation = "echo"
    }
    response {
      text = "input.text"
    }
  }
  constants {
    room = "r"
  }
`;

const join = { type: "join_room", room: "r", id: "join" };
const say = (id: number) => ({ type: "say", id, data: id });

test("what a client sends in one read travels together, and is answered in its order", async () => {
  const model = await loadLinked(CONFIG);
  await withBackplane([model, model], async (one, two) => {
    const [sender, other] = [await one.open("anna"), await two.open("bob")];
    for (const client of [sender, other]) {
      client.tell(join);
      await until("the join", () => client.heard === 1);
      client.take();
    }
    let published = 0;
    const publish = one.link.publish.bind(one.link);
    one.link.publish = (topic, bytes) => {
      published++;
      return publish(topic, bytes);
    };
    for (let id = 0; id < 16; id++) sender.tell(say(id));
    await until("all answers", () => sender.heard === 32);
    assert.equal(published, 1);
    const message = (data: unknown) => ({ type: "message", data, room: "r" });
    const heard = sender.take();
    const acks = heard.filter((frame) => (frame as { readonly type: string }).type === "ack");
    assert.deepEqual(acks, Array.from({ length: 16 }, (_, id) => ({ type: "ack", id })));
    const own = heard.filter((frame) => (frame as { readonly type: string }).type === "message");
    assert.deepEqual(own, Array.from({ length: 16 }, (_, id) => message(id)));
    await until("the other member", () => other.heard === 16);
    assert.deepEqual(other.take(), own);

    sender.tell(say(1));
    sender.tell({ type: "echo", id: 2, data: { text: "now" } });
    sender.tell({ type: "nobody", id: 3 });
    // It leaves when what it has sent before has come.
    sender.tell({ type: "leave_room", room: "r", id: 4 });
    sender.tell(say(5));
    await until("all answers", () => sender.heard === 6);
    const answers = sender.take() as readonly Record<string, unknown>[];
    assert.deepEqual(answers[0], message(1));
    assert.deepEqual(answers.slice(1).map(({ id }) => id), [1, 2, 3, 4, 5]);
    assert.equal(answers[3].code, "unknown_type");
    await until("the other member", () => other.heard === 2);
    assert.deepEqual(other.take(), [message(1), message(5)]);
  });
});

test("while the backplane is away every frame of a read gets its error, in their order", async () => {
  const model = await loadLinked(CONFIG);
  await withBackplane([model], async ({ open, link }) => {
    const client = await open("anna");
    client.tell({ type: "echo", id: "first", data: { text: "" } });
    await until("its user", () => client.take().length === 1);
    link.cut();
    for (let id = 0; id < 10; id++) client.tell(say(id));
    client.tell({ type: "echo", id: 10, data: { text: "here" } });
    await until("all answers", () => client.heard === 11);
    const answers = client.take() as readonly Record<string, unknown>[];
    assert.deepEqual(answers.map(({ id }) => id), Array.from({ length: 11 }, (_, id) => id));
    for (const { code } of answers.slice(0, 10)) assert.equal(code, "flow_failed");
    link.mend();
  });
});
