/** `send_to_client`: one connection, by its `id`. */
import assert from "node:assert/strict";
import { contract, flows, websocket } from "../support/socket-contract.ts";

const config = `${websocket()}${flows}
  flow "who" {
    from {
      connector = "ws"
      operation = "who"
    }
    response {
      id = "client.id"
    }
  }
  flow "tell" {
    from {
      connector = "ws"
      operation = "tell"
    }
    transform {
      text = "input.text"
    }
    to {
      connector = "ws"
      operation = "send_to_client"
      target    = "input.to"
      filter    = "input.text != 'spam' && output.text != client.params.mute"
    }
    response {
      recipients = "output.recipients"
    }
  }
  flow "self" {
    from {
      connector = "ws"
      operation = "self"
    }
    to {
      connector      = "ws"
      operation      = "send_to_client"
      target         = "client.id"
      exclude_sender = true
    }
    response {
      recipients = "output.recipients"
    }
  }
`;

contract("send_to_client: one connection gets it, or nobody", config, async (t) => {
  const [ann, again] = [await t.connect("/ws?user_id=ann"), await t.connect("/ws?user_id=ann")];
  const muting = await t.connect("/ws?mute=hush");
  const idOf = async (client: typeof ann) => {
    const { data } = await client.ask({ type: "who", id: 1 });
    return (data as { readonly id: string }).id;
  };
  const tell = (to: unknown, text: string) =>
    ann.ask({ type: "tell", data: { to, text }, id: "t" });
  const told = (recipients: number) => ({ type: "ack", id: "t", data: { recipients } });

  const id = await idOf(again);
  assert.deepEqual(await tell(id, "hi"), told(1));
  assert.deepEqual(await again.hear(), { type: "message", data: { text: "hi" } });
  // The event's own data decides, and the recipient.
  assert.deepEqual(await tell(id, "spam"), told(0));
  const muted = await idOf(muting);
  assert.deepEqual(await tell(muted, "hush"), told(0));
  assert.deepEqual(await tell(muted, "hey"), told(1));
  assert.deepEqual(await muting.hear(), { type: "message", data: { text: "hey" } });
  assert.deepEqual(await ann.ask({ type: "self", id: "t" }), told(0));

  for (const nobody of ["ann", "", "__proto__", 7]) {
    assert.deepEqual(await tell(nobody, "hi"), told(0), String(nobody));
  }
  assert.equal((await tell(null, "hi")).code, "flow_failed");
  again.close();
  await again.ending();
  await t.probe.received(1);
  assert.deepEqual(await tell(id, "gone"), told(0));
  for (const client of [ann, muting]) await client.hearsNothing();
});
