/** What clients see of each other on several runtimes of one service, whatever links these. */
import assert from "node:assert/strict";
import { Known, type PresenceFrame } from "./presence.ts";
import { until } from "./socket-probe.ts";
import type { FakeClient, ServingRuntime } from "./worker-runtimes.ts";

/** The room that has presence, for services whose connector is called "ws". */
export const PRESENCE_ROOM = `
  room "doc:{id}" {
    presence {
      info        = "{'doc': match.id}"
      leave_grace = "2s"
      data        = "mood"
    }
  }
`;

/** The type and the flow that such a service needs beside the room. */
export const PRESENCE_BLOCKS = `
  type "mood" {
    status = string()
  }
  flow "who" {
    from {
      connector = "ws"
      operation = "who"
    }
    step "who" {
      connector = "ws"
      operation = "presence"
      target    = "input.room"
    }
    response {
      count = "step.who.count"
    }
  }
`;

const room = "doc:1";

/** A client that keeps what it hears of the room. */
class Watcher {
  readonly known = new Known();
  readonly client: FakeClient;

  constructor(client: FakeClient) {
    this.client = client;
  }

  /** What it knows now. */
  get names(): readonly string[] {
    for (const frame of this.client.take() as PresenceFrame[]) {
      if (frame.type === "presence") this.known.hear(frame);
    }
    return this.known.names;
  }

  /** Waits until it knows just these members. */
  async knows(...names: readonly string[]): Promise<void> {
    const wanted = JSON.stringify([...names].sort());
    await until(`members ${wanted}`, () => JSON.stringify(this.names) === wanted);
  }
}

/** Plays it on three runtimes. */
export async function playPresence(runtimes: readonly ServingRuntime[]): Promise<void> {
  const [a, b, c] = runtimes;
  const join = async ({ open }: ServingRuntime, user: string, presence?: unknown) => {
    const client = await open(user);
    client.tell({ type: "join_room", room, presence });
    return client;
  };
  const ada = new Watcher(await join(a, "ada", true));
  await ada.knows("ada");
  const bob = await join(b, "bob", { status: "here" });
  await ada.knows("ada", "bob");
  const cy = new Watcher(await join(c, "cy", true));
  await cy.knows("ada", "bob", "cy");
  await ada.knows("ada", "bob", "cy");
  const shown = { user_id: "bob", connections: 1, info: { doc: "1" }, data: { status: "here" } };
  for (const { known } of [ada, cy]) assert.deepEqual(known.members.get("bob"), shown);

  bob.tell({ type: "presence", room, data: { status: "typing" } });
  const status = ({ known, names }: Watcher) =>
    names.length > 0 && (known.members.get("bob")?.data as { status?: string })?.status;
  await until("bob types", () => [ada, cy].every((one) => status(one) === "typing"));

  // Who comes back in time, wherever that is, has not been away.
  bob.cut(1001);
  const back = await join(c, "bob", { status: "typing" });
  const eve = await join(b, "eve");
  await ada.knows("ada", "bob", "cy", "eve");
  await cy.knows("ada", "bob", "cy", "eve");
  assert.deepEqual([ada, cy].map(({ known }) => known.history.includes("-bob")), [false, false]);

  // Whoever asks is told the same.
  for (const { runtime } of runtimes) {
    const { count, members } = await runtime.presence(room);
    assert.equal(count, 4);
    assert.deepEqual(members.map(({ user_id }) => user_id).sort(), ["ada", "bob", "cy", "eve"]);
  }
  const dan = await b.open("dan");
  const answers = await dan.ask({ type: "who", room, id: 1 }) as { readonly data?: unknown }[];
  assert.deepEqual(answers.map(({ data }) => data), [{ count: 4 }]);

  // One is lost, one leaves.
  back.cut();
  eve.leave();
  await ada.knows("ada", "cy");
  await cy.knows("ada", "cy");
  for (const { known } of [ada, cy]) assert.deepEqual(known.contradictions, []);
  for (const one of [ada.client, cy.client, dan]) one.leave();
}
