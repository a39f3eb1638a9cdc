/** Several instances in memory whose rooms have presence; a test moves their time. */
import type { BackplaneCapabilities } from "../../src/contract/backplane.ts";
import { type TestInstance, TestService } from "./groups.ts";
import { Known, type PresenceFrame, type PresenceHub, presenceHub } from "./presence.ts";
import type { FakeClient } from "./worker-runtimes.ts";

/** One instance. */
export interface PresenceInstance extends PresenceHub {
  readonly instance: TestInstance;
}

/** The instances of one service. */
export class PresenceService {
  readonly group: TestService;
  readonly #rooms: string;
  readonly #instances = new Map<string, PresenceInstance>();
  readonly #watchers = new Map<FakeClient, Map<string, Known>>();

  private constructor(rooms: string, capabilities: Partial<BackplaneCapabilities>) {
    this.#rooms = rooms;
    this.group = new TestService(capabilities);
  }

  /** Calls `act` with as many instances `a`, `b`, … */
  static async with(
    count: number,
    { rooms = ROOM, capabilities = {} }: {
      readonly rooms?: string;
      readonly capabilities?: Partial<BackplaneCapabilities>;
    },
    act: (service: PresenceService, ...instances: PresenceInstance[]) => Promise<void>,
  ): Promise<void> {
    const service = new PresenceService(rooms, capabilities);
    try {
      const instances: PresenceInstance[] = [];
      for (let n = 0; n < count; n++) instances.push(await service.start("abcdefgh"[n]));
      await act(service, ...instances);
    } finally {
      for (const name of [...service.#instances.keys()]) await service.end(name);
      await service.group.close();
    }
  }

  /** Starts an instance. */
  async start(id: string): Promise<PresenceInstance> {
    const instance = await this.group.start(id);
    const hub = await presenceHub(this.#rooms, { clock: instance.clock, instances: instance.ws });
    let isStarted = false;
    const starting = hub.connector.start?.().then(() => isStarted = true);
    // A dead instance may have to be waited for.
    while (!isStarted) await this.group.advance(100);
    await starting;
    const started = { ...hub, instance };
    this.#instances.set(id, started);
    return started;
  }

  /** Ends an instance as a restart does: its clients are closed with 1001. */
  async end(id: string): Promise<void> {
    const ended = this.#instances.get(id);
    this.#instances.delete(id);
    if (ended === undefined || this.group.blocked.has(ended.instance)) return;
    await ended.connector.stop?.();
    await ended.connector.closeClients?.(0);
    await ended.connector.close?.();
    const closed = ended.instance.group.close();
    await this.advance(100);
    await closed;
  }

  /** Ends an instance as SIGKILL does. */
  kill({ instance }: PresenceInstance): void {
    this.#instances.delete(instance.id);
    this.group.kill(instance);
  }

  /** Moves the time, and lets watchers hear. */
  async advance(milliseconds: number): Promise<void> {
    await this.group.advance(milliseconds);
    this.#hear();
  }

  /** Joins a room. */
  async join(
    { open }: PresenceInstance,
    user: string | undefined,
    room = "r",
    presence?: unknown,
  ): Promise<FakeClient> {
    const client = await open(user);
    client.tell({ type: "join_room", room, presence });
    await this.advance(200);
    return client;
  }

  /** Joins a room, and keeps what the client knows of it from then on. */
  async watch(on: PresenceInstance, user: string, room = "r"): Promise<Known> {
    const client = await on.open(user);
    const known = new Known();
    this.#watchers.set(client, new Map([[room, known]]));
    client.tell({ type: "join_room", room, presence: true });
    await this.advance(700);
    return known;
  }

  #hear(): void {
    for (const [client, rooms] of this.#watchers) {
      for (const frame of client.take() as PresenceFrame[]) {
        if (frame.type === "presence") rooms.get(frame.room)?.hear(frame);
      }
    }
  }
}

const ROOM = `
  room "r" {
    presence {
    }
  }
`;

/** The kinds of links that there are. */
export const LINKS: Readonly<Record<string, Partial<BackplaneCapabilities>>> = {
  "echoes, heartbeats": {},
  "no echoes, members told": { echoes: false, members: true, order: "sender" },
  "probed, heartbeats": { live: "probe", order: "sender" },
};
