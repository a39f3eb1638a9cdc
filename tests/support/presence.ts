/** A `websocket` connector whose rooms have presence, and what its clients hear of it. */
import assert from "node:assert/strict";
import { type Clock, systemClock } from "../../src/base/clock.ts";
import type { Connector } from "../../src/contract/connector.ts";
import type { Instances } from "../../src/contract/instances.ts";
import { loadConfig } from "../../src/runtime/load.ts";
import { settle } from "./clock.ts";
import { flowThat } from "./linked-hubs.ts";
import { type Recorder, recorder } from "./log.ts";
import { type FakeClient, openClient } from "./worker-runtimes.ts";

/** A member as a frame has it. */
export interface ShownMember {
  readonly user_id?: string;
  readonly key?: string;
  readonly connections?: number;
  readonly info?: unknown;
  readonly data?: unknown;
}

/** A presence frame. */
export interface PresenceFrame {
  readonly type: string;
  readonly room: string;
  readonly count: number;
  readonly members?: readonly ShownMember[];
  readonly joined?: readonly ShownMember[];
  readonly left?: readonly ShownMember[];
  readonly changed?: readonly ShownMember[];
}

/** A connector, and who connects to it. */
export interface PresenceHub {
  readonly connector: Connector;
  readonly log: Recorder;
  /** Connects a client; without a user by default. */
  open(user?: string, query?: string): Promise<FakeClient>;
  /** Connects a client that joins a room; `presence` is the join's field. */
  join(user: string | undefined, room: string, presence?: unknown): Promise<FakeClient>;
  /** Writes as a flow does. */
  write(operation: string, target: string | undefined, options?: object): unknown;
}

/** Makes a connector with these `room` blocks, and whatever else the text declares. */
export async function presenceHub(
  rooms: string,
  { clock = systemClock, instances, more = "", flows = {} }: {
    readonly clock?: Clock;
    readonly instances?: Instances;
    readonly more?: string;
    readonly flows?: Readonly<Record<string, Parameters<typeof flowThat>[0]>>;
  } = {},
): Promise<PresenceHub> {
  const text = `
    connector "ws" {
      type = "websocket"
      port = 0
      ${rooms}
    }
    ${more}
  `;
  const model = (await loadConfig(text)).connectors.get("ws");
  assert.ok(model);
  const log = recorder();
  const connector = await model.definition.create(model.options, {
    name: "ws",
    logger: log.logger,
    clock,
    constants: {},
    lookUp: () => ({}),
    instances,
  });
  const nothing = () => ({ response: undefined, result: undefined });
  const all = { join_room: nothing, leave_room: nothing, ...flows };
  for (const [operation, run] of Object.entries(all)) {
    connector.subscribe?.(operation, flowThat(run));
  }
  const open = (user = "", query?: string) => openClient(connector.http?.socket, user, query);
  return {
    connector,
    log,
    open,
    async join(user, room, presence) {
      const client = await open(user);
      await joins(client, room, presence);
      return client;
    },
    write: (operation, target, options = {}) =>
      connector.write?.({
        operation,
        target,
        payload: null,
        scope: {},
        event: undefined,
        options: {
          filter: undefined,
          user: undefined,
          frame: undefined,
          exclude_sender: false,
          ...options,
        },
      }),
  };
}

/** Joins a room, which must succeed; what the client hears of it is left to be taken. */
export async function joins(client: FakeClient, room: string, presence?: unknown): Promise<void> {
  client.tell({ type: "join_room", room, presence });
  await settle();
  await settle();
}

/** The presence frames among what a client has heard, shortened: what is empty is left out. */
export async function told(client: FakeClient): Promise<readonly Partial<PresenceFrame>[]> {
  await settle();
  await settle();
  return (client.take() as PresenceFrame[]).filter(({ type }) => type === "presence")
    .map(({ type: _, room: __, ...rest }) =>
      Object.fromEntries(
        Object.entries(rest).filter(([, value]) => !Array.isArray(value) || value.length > 0),
      )
    );
}

/** What a client knows of who is in one room, by all the frames that it has heard. */
export class Known {
  /** By user or key. */
  readonly members: Map<string, ShownMember> = new Map();
  /** What the last frame says. */
  count = -1;
  /** False while only the number is told. */
  isWhole = false;
  /** Everything that contradicts what was known before. */
  readonly contradictions: string[] = [];
  /** Who has joined and left, in order, such as `+ada` and `-bob`. */
  readonly history: string[] = [];

  /** Hears a frame of the room. */
  hear({ count, members, joined = [], left = [], changed = [] }: PresenceFrame): void {
    this.count = count;
    const isChange = joined.length + left.length + changed.length > 0;
    if (members !== undefined) {
      this.members.clear();
      for (const one of members) this.members.set(nameOf(one), one);
      this.isWhole = true;
    } else if (!isChange) this.isWhole = false;
    for (const one of joined) this.#set(one, false);
    for (const one of changed) this.#set(one, true);
    for (const one of left) {
      this.history.push(`-${nameOf(one)}`);
      if (!this.members.delete(nameOf(one))) this.#contradict("left", one);
    }
    if (this.isWhole && count !== this.members.size) this.#contradict(`count ${count}`, {});
  }

  /** The names of all members, in order. */
  get names(): readonly string[] {
    return [...this.members.keys()].sort();
  }

  #set(one: ShownMember, isKnown: boolean): void {
    const name = nameOf(one);
    if (!isKnown) this.history.push(`+${name}`);
    if (this.members.has(name) !== isKnown) this.#contradict(isKnown ? "changed" : "joined", one);
    this.members.set(name, one);
  }

  #contradict(what: string, one: ShownMember): void {
    this.contradictions.push(`${what} ${nameOf(one)}, knows ${this.names}`);
  }
}

function nameOf({ user_id, key }: ShownMember): string {
  return user_id ?? key ?? "nobody";
}
