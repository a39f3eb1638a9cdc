/** One `websocket` connector in several workers: what their flows do reaches the clients of all. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { ConnectorError } from "../../src/base/errors.ts";
import { until } from "../support/mq.ts";
import { type FakeClient, rest, slowClock, withWorkers } from "../support/worker-runtimes.ts";

/** A flow for messages whose `to` is its name. */
function flow(name: string, destination: string, response = ""): string {
  return `
    flow "${name}" {
      from {
        connector = "ws"
        operation = "message"
        filter    = "input.to == '${name}'"
      }
      transform {
        text = "input.text"
        n    = "1 + 1"
      }
      to {
        connector = "ws"
        ${destination}
      }
      ${response}
    }
  `;
}

const counted = 'response { recipients = "output.recipients" }';
const ordered = 'response {\n recipients = "output.recipients"\n refused = "output.refused"\n }';
const toRoom = 'operation = "send_to_room"\n target = "input.room"\n';
const ofUser = 'user = "input.user"';
const chosen = 'filter = "client.user_id == input.user && output.n == 2 && size(input.text) > 0"';
const failing = `operation = "broadcast"\n filter = "client.user_id == 'bob' && input.n > 1"`;

const CONFIG = `
  connector "ws" {
    type      = "websocket"
    port      = 0
    max_rooms = 2
  }
  ${flow("everyone", 'operation = "broadcast"')}
  ${flow("others", 'operation = "broadcast"\n exclude_sender = true', counted)}
  ${flow("not_bob", `operation = "broadcast"\n filter = "client.user_id != 'bob'"`, counted)}
  ${flow("room", toRoom)}
  ${flow("chosen", toRoom + chosen, counted)}
  ${flow("failing", failing)}
  ${flow("failing_counted", failing, counted)}
  ${flow("user", 'operation = "send_to_user"\n target = "input.user"', counted)}
  ${flow("client", 'operation = "send_to_client"\n target = "input.id"', counted)}
  ${flow("join", `operation = "join_room"\n target = "input.room"\n ${ofUser}`, ordered)}
  ${flow("leave", `operation = "leave_room"\n target = "input.room"\n ${ofUser}`, ordered)}
  ${flow("end", `operation = "disconnect"\n ${ofUser}`, ordered)}
  ${flow("end_me", 'operation = "disconnect"')}
  flow "who" {
    from {
      connector = "ws"
      operation = "message"
      filter    = "input.to == 'who'"
    }
    response { id = "client.id" }
  }
`;

function textsOf(...clients: readonly FakeClient[]): unknown[][] {
  return clients.map((client) => client.texts());
}

/** The answer of a flow that counts. */
function done(recipients: number): unknown[] {
  return [{ type: "message", data: { recipients } }];
}

/** The answer of a flow whose command is executed for this many connections. */
function carriedOut(recipients: number): unknown[] {
  return [{ type: "message", data: { recipients, refused: 0 } }];
}

function joining(room: string): Readonly<Record<string, unknown>> {
  return { type: "join_room", room, id: 0 };
}

const joined = [{ type: "ack", id: 0 }];

test("instances: a broadcast to all workers, also without the sender and with a filter", async () => {
  await withWorkers(3, CONFIG, async (a, b, c) => {
    const [anna, bob, cleo] = [await a.open("anna"), await b.open("bob"), await c.open("cleo")];
    assert.equal((await anna.say({ to: "everyone", text: "hello" })).length, 1);
    assert.deepEqual(textsOf(bob, cleo), [["hello"], ["hello"]]);
    assert.deepEqual(await bob.say({ to: "others", text: "you" }), done(2));
    assert.deepEqual(textsOf(anna, cleo), [["you"], ["you"]]);
    assert.deepEqual(
      (await anna.say({ to: "not_bob", text: "psst" })).slice(1),
      done(2),
    );
    assert.deepEqual(textsOf(bob, cleo), [[], ["psst"]]);
    assert.equal(await a.runtime.broadcast({ text: "from the library" }), 3);
    await rest();
    assert.deepEqual(textsOf(anna, bob, cleo), Array(3).fill(["from the library"]));
  });
});

test("instances: a room has members in all workers, whatever its name", async () => {
  await withWorkers(2, CONFIG, async (a, b) => {
    const [anna, ann2, bob] = [await a.open("anna"), await b.open("anna"), await b.open("bob")];
    for (const room of ["kitchen", "__proto__", "\u2028 constructor"]) {
      for (const client of [anna, ann2, bob]) {
        assert.deepEqual(await client.ask(joining(room)), joined);
      }
      await bob.say({ to: "room", room, text: room });
      assert.deepEqual(textsOf(anna, ann2), [[room], [room]]);
      // The filter sees the message and what the flow has made of it, where the recipient is.
      const said = { to: "chosen", room, user: "anna", text: "for anna" };
      assert.deepEqual(await bob.say(said), done(2));
      assert.deepEqual(textsOf(anna, ann2), [["for anna"], ["for anna"]]);
      for (const client of [anna, ann2, bob]) {
        assert.deepEqual(await client.ask({ type: "leave_room", room, id: 0 }), joined);
      }
      await bob.say({ to: "room", room, text: "nobody is there" });
      assert.deepEqual(textsOf(anna, ann2), [[], []]);
    }
    assert.equal(await a.runtime.sendToRoom("nowhere", 1), 0);
  });
});

test("instances: a user and a client are found in any worker, whatever their names", async () => {
  for (const name of ["bob", "__proto__", "constructor"]) {
    await withWorkers(2, CONFIG, async (a, b) => {
      const [anna, one, two] = [await a.open("anna"), await a.open(name), await b.open(name)];
      assert.deepEqual(await anna.say({ to: "user", user: name, text: "hi" }), done(2));
      assert.deepEqual(textsOf(one, two), [["hi"], ["hi"]]);
      assert.deepEqual(await anna.say({ to: "user", user: "nobody", text: "hi" }), done(0));
      for (const client of [one, two]) {
        const [answer] = await client.say({ to: "who" });
        const { data: { id } } = answer as { readonly data: { readonly id: string } };
        assert.deepEqual(await anna.say({ to: "client", id, text: "you" }), done(1));
        assert.deepEqual(client.texts(), ["you"]);
      }
      assert.deepEqual(textsOf(one, two), [[], []]);
      assert.deepEqual(await anna.say({ to: "client", id: name, text: "hi" }), done(0));
    });
  }
});

test("instances: join_room, leave_room and disconnect apply to all connections of a user", async () => {
  await withWorkers(2, CONFIG, async (a, b) => {
    const [anna, one, two] = [await a.open("anna"), await a.open("bob"), await b.open("bob")];
    const kitchen = { room: "kitchen", user: "bob" };
    assert.deepEqual(await anna.say({ to: "join", ...kitchen }), carriedOut(2));
    assert.equal(await b.runtime.sendToRoom("kitchen", { text: "tea" }), 2);
    await rest();
    assert.deepEqual(textsOf(one, two, anna), [["tea"], ["tea"], []]);
    assert.deepEqual(await anna.say({ to: "leave", ...kitchen }), carriedOut(2));
    assert.equal(await b.runtime.sendToRoom("kitchen", { text: "tea" }), 0);

    // Without a user it is the sender alone.
    await two.say({ to: "end_me" });
    assert.deepEqual([one.ended, two.ended], [undefined, [1008, "disconnected by a flow"]]);
    const three = await b.open("bob");
    assert.deepEqual(await anna.say({ to: "end", user: "bob" }), carriedOut(2));
    assert.deepEqual([one.ended?.[0], three.ended?.[0], anna.ended], [1008, 1008, undefined]);
    assert.deepEqual([a, b].map(({ runtime }) => runtime.counts().ws.connections), [1, 0]);
    assert.deepEqual([a, b].map(({ runtime }) => runtime.counts().ws.users), [1, 0]);
  });
});

test("instances: a failure in another worker fails the flow that waits for it", async () => {
  await withWorkers(2, CONFIG, async (a, b) => {
    const [anna, bob] = [await a.open("anna"), await b.open("bob")];
    // A filter that fails there: no client there receives anything, and only a flow that waits fails.
    const [failed] = await anna.say({ to: "failing_counted", n: "text", text: "x" });
    assert.equal((failed as { readonly type: string }).type, "error");
    await anna.say({ to: "failing", n: "text", text: "x" });
    assert.deepEqual(bob.take(), []);
    await anna.say({ to: "everyone", text: "goes on" });
    assert.deepEqual(bob.texts(), ["goes on"]);
    await assert.rejects(a.runtime.sendToRoom("", 1), ConnectorError);
  });
});

/** Fails unless the answer is an error with this code. */
function assertError(answer: readonly unknown[], code: string): void {
  assert.deepEqual(answer.map((frame) => (frame as { readonly code?: string }).code), [code]);
}

test("instances: a worker executes a command for all or none; one that refuses fails the flow", async () => {
  await withWorkers(3, CONFIG, async (a, b, c) => {
    // Whichever worker the flow runs in: in b a connection can join, in a and c one cannot.
    for (const worker of [a, b, c]) {
      const anna = await worker.open("anna");
      const bobs = [await a.open("bob"), await a.open("bob"), await b.open("bob")];
      bobs.push(await c.open("bob"));
      for (const full of [bobs[0], bobs[3]]) {
        for (const room of ["one", "two"]) assert.deepEqual(await full.ask(joining(room)), joined);
      }
      assertError(await anna.say({ to: "join", room: "three", user: "bob" }), "flow_failed");
      assert.equal(await a.runtime.sendToRoom("three", { text: "you are in" }), 1);
      await rest();
      assert.deepEqual(textsOf(...bobs), [[], [], ["you are in"], []]);
      // A connection that is in already needs no further room.
      assert.deepEqual(await anna.say({ to: "join", room: "two", user: "bob" }), carriedOut(4));
      assert.deepEqual(await anna.say({ to: "leave", room: "one", user: "bob" }), carriedOut(4));
      assert.deepEqual(await anna.say({ to: "end", user: "bob" }), carriedOut(4));
    }
  });
});

test("instances: the messages of one worker arrive in order, with counted ones among them", async () => {
  await withWorkers(2, CONFIG, async (a, b) => {
    const [anna, bob] = [await a.open("anna"), await b.open("bob")];
    // The first frame of a client waits until its user is listened to.
    await rest();
    const sent: number[] = [];
    for (let n = 0; n < 50; n++) {
      sent.push(n);
      if (n % 10 === 9) await a.runtime.broadcast({ text: n });
      else void anna.say({ to: "everyone", text: n });
    }
    await rest();
    assert.deepEqual(bob.texts(), sent);
  });
});

test("instances: the newest message of a key replaces older ones in other workers, too", async () => {
  const config = CONFIG.replace(
    "max_rooms = 2",
    'slow_client {\n policy = "coalesce"\n key = "output.key"\n }',
  );
  await withWorkers(2, config, async (a, b) => {
    const bob = await b.open("bob");
    bob.bufferedAmount = 100_000;
    for (const [text, key] of ["taken", "a", "b", "a", "c", "a"].entries()) {
      await a.runtime.broadcast({ key, text });
    }
    assert.deepEqual(bob.texts(), [0]);
    assert.equal(b.runtime.counts().ws.coalesced, 2);
    bob.bufferedAmount = 0;
    const heard: unknown[] = [];
    await until("the others", () => heard.push(...bob.texts()) === 3);
    assert.deepEqual(heard, [2, 4, 5]);
  });
});

test("instances: a worker that sends more than the others take waits for them", async () => {
  await withWorkers(2, CONFIG, async (a, b) => {
    const bob = await b.open("bob");
    // A client each: of one, no more than 1 MB would wait.
    const senders = await Promise.all(
      Array.from({ length: 20 }, (_, index) => a.open(`anna ${index}`)),
    );
    const text = "x".repeat(500_000);
    const acks: unknown[] = [];
    const collect = (): void => {
      const heard = senders.flatMap((sender) => sender.take());
      acks.push(...heard.flatMap((frame) => (frame as { readonly id?: number }).id ?? []));
    };
    b.hang();
    for (const [id, sender] of senders.entries()) {
      sender.tell({ type: "message", id, data: { to: "everyone", text } });
    }
    await rest();
    collect();
    assert.ok(acks.length > 5 && acks.length < 20, `${acks.length} of 20 are done`);
    assert.deepEqual(bob.take(), []);
    b.wakeUp();
    await until("all are done", () => {
      collect();
      return acks.length === 20;
    });
    const heard: unknown[] = [];
    await until("bob has all", () => heard.push(...bob.texts()) === 20);
    assert.ok(heard.every((one) => one === text));
    // Nobody takes the one that hangs for dead meanwhile.
  }, slowClock);
});
