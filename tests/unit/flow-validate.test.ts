/** What `validate` changes is in the payload and in `input`, but never in place of metadata. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { MessageEvent } from "../../src/messaging/mod.ts";
import { SocketEvent } from "../../src/connectors/websocket/client.ts";
import type { Client, FlowEvent } from "../../src/contract/connector.ts";
import { failureOf, FROM, make, to } from "../support/flow.ts";

const TYPES = `
type "changed" {
  user_id = string({ trim = true, lower = true, default = "nobody" })
  event   = string({ lower = true, required = false })
  room    = string({ trim = true, required = false })
  count   = number({ default = 1 })
  text    = string({ trim = true })
}
type "text" {
  text  = string({ lower = true })
  count = number
}
`;

const SEEN = `
transform {
  payload = "input.text"
  names   = "[input.user_id, input.event, input.room, input.text, input.count]"
}
`;

const CLIENT: Client = {
  id: "c1",
  user_id: "BOB",
  claims: null,
  params: {},
  headers: {},
  rooms: [],
  remote_addr: null,
  connected_at: "2026-01-01T00:00:00.000Z",
};

/** What a flow makes of an event's `input` behind `validate.input`. */
async function namesOf(event: FlowEvent): Promise<unknown> {
  const { flow, writes } = await make(
    [FROM, 'validate { input = "changed" }', SEEN, to("b")].join("\n"),
    undefined,
    { blocks: TYPES },
  );
  await flow.run(event);
  return (writes[0].payload as { readonly names: unknown }).names;
}

test("validate: input has what a type has changed and filled in; data stays as it was sent", async () => {
  const payload = { text: " a ", room: " r " };
  const event = new SocketEvent("say", payload, { ...CLIENT, user_id: null }, undefined);
  assert.deepEqual(await namesOf(event), [null, "say", "r", "a", 1]);
  assert.deepEqual(event.input.data, { text: " a ", room: " r " });
});

test("validate: metadata stays what the source says, even if the data says the same", async () => {
  const payload = { user_id: "BOB", event: "SAY", room: " r ", text: "a" };
  const frame = new SocketEvent("SAY", payload, CLIENT, " r ");
  assert.deepEqual(await namesOf(frame), ["BOB", "SAY", " r ", "a", 1]);

  const message = new MessageEvent({ key: "k", body: payload, metadata: { room: " r " } });
  assert.deepEqual(await namesOf(message), ["bob", "say", " r ", "a", 1]);
});

test("validate: a source that names no metadata keeps what differs from the payload", async () => {
  const event: FlowEvent = {
    operation: "say",
    payload: { text: " a ", event: "SAY", user_id: " Bob " },
    input: { text: " a ", event: "Say", user_id: null, count: 7 },
  };
  assert.deepEqual(await namesOf(event), [null, "Say", null, "a", 7]);
});

test("validate: what a type changes costs a flow that does not read input no input", async () => {
  let built = 0;
  const event: FlowEvent = {
    operation: "say",
    payload: { text: " a " },
    get input() {
      built++;
      return { text: " a " };
    },
  };
  const run = async (transform: string) => {
    const body = [FROM, 'validate { input = "changed" }', transform, to("b")].join("\n");
    const { flow, writes } = await make(body, undefined, { blocks: TYPES });
    await flow.run(event);
    return writes[0].payload;
  };
  assert.deepEqual(await run(""), { user_id: "nobody", count: 1, text: "a" });
  assert.equal(built, 0);

  const twice = 'transform { text = "input.text + input.text" }';
  assert.deepEqual(await run(twice), { text: "aa" });
  assert.equal(built, 1);
});

test("validate: text converts for the input alone, and changes for the output too", async () => {
  const event: FlowEvent = {
    operation: "GET /x",
    payload: { text: "A", count: "2" },
    input: { text: "A", count: "2" },
    textFields: new Set(["text", "count"]),
  };
  const run = async (stage: "input" | "output") => {
    const made = await make(
      [FROM, `validate { ${stage} = "text" }`, to("b")].join("\n"),
      undefined,
      { blocks: TYPES },
    );
    return { ...made, run: async () => await made.flow.run(event) };
  };
  const input = await run("input");
  await input.run();
  assert.deepEqual(input.writes[0].payload, { text: "a", count: 2 });

  const output = await run("output");
  assert.equal((await failureOf(output.run)).code, "validation_failed");
  const shaped = await make(
    [
      FROM,
      'validate { output = "text" }',
      'transform {\n  text = "input.text"\n  count = "int(input.count)"\n}',
      to("b"),
    ].join("\n"),
    undefined,
    { blocks: TYPES },
  );
  await shaped.flow.run(event);
  assert.deepEqual(shaped.writes[0].payload, { text: "a", count: 2 });
});
