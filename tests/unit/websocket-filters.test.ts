/** Filters of what a flow of one worker sends: they run in the workers that have the clients. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { type FakeClient, withWorkers } from "../support/worker-runtimes.ts";

function textsOf(...clients: readonly FakeClient[]): unknown[][] {
  return clients.map((client) => client.texts());
}

/** What a block does beside saying where: everybody but bob gets it. */
const guarded = `
  connector = "ws"
  operation = "broadcast"
  filter    = "client.user_id != input.user"
`;

/** A flow for one operation. */
function on(operation: string, blocks: string): string {
  return `
    flow "${operation}" {
      from {
        connector = "ws"
        operation = "${operation}"
      }
      ${blocks}
    }
  `;
}

const anywhere = `
  connector "ws" {
    type = "websocket"
    port = 0
    room "*" {
      step "tell" {
        connector = "ws"
        operation = "broadcast"
        filter    = "client.user_id != room"
        params    = { text = "room" }
      }
      join = "true"
    }
  }
  connector "broken" {
    type   = "mq"
    driver = "memory"
  }
  ${on("to", `to {\n ${guarded}\n }`)}
  ${on("step", `step "tell" {\n ${guarded}\n }`)}
  ${on("accept", `accept {\n step "tell" {\n ${guarded}\n }\n when = "true"\n }`)}
  ${
  on(
    "fallback",
    `to {
      connector = "broken"
      target    = "input.nothing"
    }
    error_handling {
      fallback {
        ${guarded}
      }
    }`,
  )
}
`;

test("filters: they leave out clients of other workers, in every kind of block", async () => {
  await withWorkers(2, anywhere, async (a, b) => {
    const [anna, bob, cleo] = [await a.open("anna"), await b.open("bob"), await b.open("cleo")];
    for (const type of ["to", "step", "accept", "fallback"]) {
      const heard = await anna.ask({ type, data: { user: "bob", text: type } });
      assert.equal(heard.length, 1, type);
      assert.deepEqual([type, ...textsOf(bob, cleo)], [type, [], [type]]);
    }
    // A look-up of a connector.
    assert.equal((await anna.ask({ type: "join_room", room: "bob" })).length, 1);
    assert.deepEqual(textsOf(bob, cleo), [[], ["bob"]]);
  });
});

/** Each destination has a filter that reads something else of the flow. */
const reading = `
  connector "ws" {
    type = "websocket"
    port = 0
  }
  flow "tell" {
    from {
      connector = "ws"
      operation = "tell"
    }
    transform {
      extend = true
      hidden = "input.user"
    }
    to "first" {
      connector = "ws"
      operation = "broadcast"
      filter    = "client.user_id == payload.hidden"
      transform {
        text = "'payload'"
      }
    }
    to {
      connector = "ws"
      operation = "broadcast"
      filter    = "client.user_id == payload.hidden && results.first.recipients == 1 && outputs[0].recipients == 1"
      transform {
        text = "'results'"
      }
    }
    to {
      each      = "payload.users"
      connector = "ws"
      operation = "broadcast"
      filter    = "client.user_id == item.name && index < 2"
      transform {
        text = "output.name + index"
      }
    }
  }
`;

test("filters: payload, results and item reach other workers with their values", async () => {
  await withWorkers(2, reading, async (a, b) => {
    const [anna, bob, cleo] = [await a.open("anna"), await b.open("bob"), await b.open("cleo")];
    const users = [{ name: "bob" }, { name: "cleo" }, { name: "anna" }];
    assert.equal((await anna.ask({ type: "tell", id: 1, data: { user: "bob", users } })).length, 1);
    assert.deepEqual(textsOf(bob, cleo), [["payload", "results", "bob0"], ["cleo1"]]);
  });
});

test("filters: the names of the sender's room reach other workers", async () => {
  const config = `
    connector "ws" {
      type = "websocket"
      port = 0
      room "of:{user}" {
      }
    }
    ${
    on(
      "tell",
      'to {\n connector = "ws"\n operation = "broadcast"\n filter = "client.user_id == match.user"\n }',
    )
  }
  `;
  await withWorkers(2, config, async (a, b) => {
    const [anna, bob, cleo] = [await a.open("anna"), await b.open("bob"), await b.open("cleo")];
    await anna.ask({ type: "tell", id: 1, room: "of:bob", data: { text: "for bob" } });
    await anna.ask({ type: "tell", id: 2, data: { text: "for nobody" } });
    assert.deepEqual(textsOf(bob, cleo), [["for bob"], []]);
  });
});

/** Tells everybody, tells those whom a filter lets through, and lets a user join. */
function filteredBy(filter: string): string {
  const answer = 'response {\n result = "output"\n }';
  return `
    connector "ws" {
      type = "websocket"
      port = 0
    }
    ${on("all", 'to {\n connector = "ws"\n operation = "broadcast"\n }')}
    ${
    on(
      "some",
      `to {\n connector = "ws"\n operation = "broadcast"\n filter = "${filter}"\n }\n ${answer}`,
    )
  }
    ${
    on(
      "join",
      `to {
        connector = "ws"
        operation = "join_room"
        target    = "kitchen"
        user      = "'cleo'"
        filter    = "${filter}"
      }
      ${answer}`,
    )
  }
  `;
}

test("filters: the sender's counts, also where another worker does not have it", async () => {
  const configs = [
    filteredBy("client.user_id != 'bob'"),
    filteredBy("client.params.user_id == 'bob'"),
  ];
  await withWorkers(2, configs, async (a, b) => {
    const [anna, bob] = [await a.open("anna"), await b.open("bob")];
    const cleo = await b.open("cleo");
    const result = async (type: string) =>
      (await anna.ask({ type, id: 1, data: { text: type } })).at(-1);
    for (let n = 0; n < 2; n++) {
      assert.deepEqual(await result("some"), {
        ...{ type: "ack", id: 1 },
        data: { result: { recipients: 2 } },
      });
      assert.deepEqual(await result("join"), {
        ...{ type: "ack", id: 1 },
        data: { result: { recipients: 1, refused: 0 } },
      });
    }
    await result("all");
    assert.deepEqual(textsOf(bob, cleo), [["all"], ["some", "some", "all"]]);
    assert.equal(await a.runtime.sendToRoom("kitchen", 1), 1);
  });
});
