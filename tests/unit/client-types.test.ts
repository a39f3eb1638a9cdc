/**
 * The types of the client library: a project with a contract compiles, and wrong uses do not.
 * `deno check` is the test: it refuses a `@ts-expect-error` without an error below it. What the error
 * says is in brackets, and tests/e2e/client-types.test.ts looks at that.
 */
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";
import { type Client, connect, type Room, type WeirError } from "../../src/client/mod.ts";

interface Message {
  id: number;
  text: string;
}

interface Shop {
  operations: {
    place_order: { request: { item: number }; response: { id: string } };
    typing: { request: { room: string } };
    refresh: { response: number[] };
    look: { request?: { deep: boolean }; response: string };
  };
  rooms: {
    [room: `chat:${string}`]: {
      message: Message;
      frames: { price: { cents: number } };
      presence: { status: "reading" | "typing" };
      member: { user_id: string; connections: number; info: { name: string } };
    };
    lobby: { message: string };
  };
  messages: { notice: string };
  frames: { alarm: { level: number } };
}

/** What compiles. */
export async function right(weir: Client<Shop>): Promise<void> {
  const { id }: { id: string } = await weir.request("place_order", { item: 7 });
  await weir.request("place_order", { item: 7 }, { retry: true, timeout: 5, messageId: id });
  const nothing: undefined = await weir.request("typing", { room: "a" });
  const list: number[] = await weir.request("refresh");
  const text: string = await weir.request("look") + await weir.request("look", { deep: true });
  weir.send("typing", { room: "chat:7" });
  weir.send("refresh", undefined, { room: "chat:7" });
  weir.on("message", ({ notice }) => notice.length);
  weir.on("alarm", ({ level }, { room }) => [level + 1, room]);
  weir.on("status", (status, reason) => status === "waiting" && reason?.retryAfter);
  weir.on("error", ({ code, details, ref }) => [code.length, details, ref]);
  const room = await weir.join("chat:7", { presence: { status: "typing" }, history: true });
  for await (const { text } of room) text.trim();
  room.on("price", ({ cents }) => cents + 1);
  room.on("presence", ({ joined }) => joined?.map(({ info }) => info.name));
  const names: string[] = room.members.map(({ info }) => info.name);
  await room.setPresence({ status: "reading" });
  const lobby: Room<Shop, "lobby"> = await weir.join("lobby", { presence: true });
  for await (const text of lobby) text.trim();
  const untyped = connect("wss://example.com/ws", { token: () => Promise.resolve(null) });
  const answer: unknown = await untyped.request("anything", 7);
  untyped.on("anything", (data: unknown) => data);
  (await untyped.join("any")).on("price", (data: unknown) => data);
  void [nothing, list, text, names, answer];
}

/** What does not compile. */
export async function wrong(weir: Client<Shop>, error: WeirError): Promise<void> {
  // @ts-expect-error No such operation. ["place_ordr"' is not assignable]
  await weir.request("place_ordr", { item: 7 });
  // @ts-expect-error The data is missing. [Expected 2-3 arguments]
  await weir.request("place_order");
  // @ts-expect-error A field is missing. [Property 'item' is missing]
  await weir.request("place_order", {});
  // @ts-expect-error A field has the wrong type. ['string' is not assignable to type 'number']
  await weir.request("place_order", { item: "7" });
  // @ts-expect-error There is no such field. ['colour' does not exist in type '{ item: number; }']
  await weir.request("place_order", { item: 7, colour: "red" });
  // @ts-expect-error The response has no such field. [Property 'order' does not exist on type '{ id: string; }']
  (await weir.request("place_order", { item: 7 })).order;
  // @ts-expect-error The operation answers nothing. [possibly 'undefined']
  (await weir.request("typing", { room: "a" })).id;
  // @ts-expect-error The operation takes no data. [not assignable to parameter of type 'undefined']
  await weir.request("refresh", { page: 1 });
  // @ts-expect-error No such option. ['retries' does not exist in type 'RequestOptions']
  await weir.request("place_order", { item: 7 }, { retries: 3 });
  // @ts-expect-error A time is a number. ['string' is not assignable to type 'number']
  await weir.request("place_order", { item: 7 }, { timeout: "10s" });
  // @ts-expect-error No such operation. ["shout"' is not assignable]
  weir.send("shout", {});
  // @ts-expect-error A room is text. ['number' is not assignable to type 'string']
  weir.send("typing", { room: 7 });
  // @ts-expect-error What is sent without an answer is not repeated. ['retry' does not exist in type 'SendOptions']
  weir.send("typing", { room: "a" }, { retry: true });
  // @ts-expect-error No room has that name. ["orders"' is not assignable]
  await weir.join("orders");
  // @ts-expect-error The room's presence has another value. ["asleep"' is not assignable]
  await weir.join("chat:7", { presence: { status: "asleep" } });
  // @ts-expect-error This room takes no presence of a client. ['{ status: string; }' is not assignable to type 'boolean]
  await weir.join("lobby", { presence: { status: "typing" } });
  // @ts-expect-error A position has an offset. [Property 'offset' is missing]
  await weir.join("lobby", { history: { epoch: "e" } });
  // @ts-expect-error The room comes later. ['members' does not exist on type 'Promise<]
  weir.join("lobby").members;
  const room = await weir.join("chat:7");
  // @ts-expect-error Messages of the room have no such field. ['body' does not exist on type 'Message']
  for await (const { body } of room) body;
  // @ts-expect-error The room has no such event. ["prize"' is not assignable]
  room.on("prize", () => {});
  // @ts-expect-error Another field. ['euros' does not exist]
  room.on("price", ({ euros }) => euros);
  // @ts-expect-error Members have other fields. ['age' does not exist]
  room.members.map(({ info }) => info.age);
  // @ts-expect-error Members are shown, not set. [Cannot assign to 'members']
  room.members = [];
  // @ts-expect-error Another value. ['number' is not assignable to type '"reading"]
  await room.setPresence({ status: 7 });
  // @ts-expect-error The client has no such event. ["alert"' is not assignable]
  weir.on("alert", () => {});
  // @ts-expect-error Messages to everybody have no such field. ['text' does not exist on type '{ notice: string; }']
  weir.on("message", ({ text }) => text);
  // @ts-expect-error A status is text. [No overload matches]
  weir.on("status", (status: number) => status);
  // @ts-expect-error The status is the client's own. [Cannot assign to 'status']
  weir.status = "open";
  // @ts-expect-error A code is text. ['string' and 'number' have no overlap]
  error.code + 1 === 2;
  // @ts-expect-error A token is text. ['number' is not assignable to type 'TokenSource]
  connect("wss://example.com/ws", { token: 7 });
  // @ts-expect-error There is no such place for a token. ["header:x"' is not assignable]
  connect("wss://example.com/ws", { tokenIn: "header:x" });
  // @ts-expect-error A contract has no such part. [no properties in common with type 'Contract']
  connect<{ operation: { a: { request: number } } }>("wss://example.com/ws");
}

test("client types: at least twenty wrong uses do not compile", async () => {
  const text = await readFile(new URL(import.meta.url), "utf8");
  const count = text.split("// @ts-expect-error").length - 2;
  assert.ok(count >= 20, `${count}`);
});
