/** A service whose rooms have history and presence, and clients of it that come back. */
import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Member } from "../support/instances.ts";
import { Known, type PresenceFrame } from "../support/presence.ts";
import type { Stage, Weir } from "../support/process.ts";
import { pause } from "../support/socket-probe.ts";

const CONFIG = `
  connector "ws" {
    type = "websocket"
    port = 0
    room "kept:*" {
      history {
        size = 10000
      }
    }
    room "calm:*" {
      presence {
        leave_grace = "60s"
      }
    }
    room "brief:*" {
      presence {
        leave_grace = "1s"
      }
    }
  }
  flow "number" {
    from {
      connector = "ws"
      operation = "number"
    }
    to {
      connector  = "ws"
      operation  = "send_to_room"
      target     = "'kept:1'"
      message_id = "string(input.n)"
    }
  }
`;

/** The room with history. */
export const KEPT = "kept:1";

/** How long a client tries to come back, in milliseconds. */
const PATIENCE = 30_000;

/** Starts the service. */
export async function startRooms(stage: Stage, ...args: readonly string[]): Promise<Weir> {
  const file = join(stage.folder, "rooms.hcl");
  await writeFile(file, CONFIG);
  return await stage.run([file, ...args]);
}

/** Connects a client, also where the process that it reaches is just being killed. */
export async function come(weir: Weir, user = ""): Promise<Member> {
  const deadline = performance.now() + PATIENCE;
  for (;;) {
    try {
      const query = new URLSearchParams(user === "" ? {} : { user_id: user });
      return await Member.connect({ weir, host: "127.0.0.1" }, query);
    } catch (error) {
      if (performance.now() > deadline) throw error;
      await pause(20);
    }
  }
}

/** A client that resumes in the room with history whenever its connection has ended. */
export class Resuming {
  readonly numbers: number[] = [];
  /** How often it came back and was told that nothing is missing, and that something is. */
  recovered = 0;
  unrecovered = 0;
  readonly #weir: Weir;
  #member: Member | undefined;
  #at: { readonly epoch: unknown; readonly offset: unknown } | undefined;
  #read = 0;
  #stopped = false;
  #running: Promise<void> | undefined;

  constructor(weir: Weir) {
    this.#weir = weir;
  }

  /** Joins, and resolves; then it reads until it is stopped. */
  async start(): Promise<void> {
    await this.#join();
    this.#running = this.#run();
  }

  /** Cuts its connection. */
  cut(): void {
    this.#member?.leave();
  }

  /** Ends it, while the service still runs. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#member?.leave();
    await this.#running;
  }

  async #run(): Promise<void> {
    while (!this.#stopped) {
      // Its last messages come before its end.
      const hasEnded = this.#member?.ended !== undefined;
      this.#take();
      if (hasEnded) await this.#join();
      await pause(5);
    }
  }

  async #join(): Promise<void> {
    for (let joined = false; !joined && !this.#stopped;) {
      const member = await come(this.#weir);
      const history = this.#at ?? true;
      const answer = await member.ask({ type: "join_room", room: KEPT, history });
      joined = answer.type === "ack";
      if (!joined) {
        member.leave();
        continue;
      }
      if (answer.recovered === true) this.recovered++;
      if (answer.recovered === false) this.unrecovered++;
      this.#at = { epoch: answer.epoch, offset: answer.offset };
      this.#member = member;
      this.#read = 0;
    }
  }

  #take(): void {
    const { heard } = this.#member as Member;
    for (; this.#read < heard.length; this.#read++) {
      const { type, data, offset, epoch = this.#at?.epoch } = heard[this.#read];
      assert.equal(type, "message");
      this.numbers.push((data as { readonly n: number }).n);
      this.#at = { epoch, offset };
    }
  }
}

/** Sends numbers, many at once; one that has no ack is sent again. Calls `between` after each batch. */
export async function sendNumbers(
  weir: Weir,
  count: number,
  between: (sent: number) => Promise<void>,
): Promise<void> {
  const atOnce = 20;
  let member = await come(weir);
  for (let n = 0; n < count; n += atOnce) {
    let left = Array.from({ length: Math.min(atOnce, count - n) }, (_, index) => n + index);
    const deadline = performance.now() + PATIENCE;
    while (left.length > 0) {
      assert.ok(performance.now() < deadline, "nothing can be sent");
      if (member.ended !== undefined) member = await come(weir);
      const sender = member;
      const answers = await Promise.all(
        left.map((n) => sender.ask({ type: "number", data: { n } })),
      );
      left = left.filter((_, index) => answers[index].type !== "ack");
    }
    await between(n + atOnce);
    await pause(5);
  }
  member.leave();
}

/** A client that is told the members of a room. */
export class Watcher {
  readonly #member: Member;
  readonly #known = new Known();
  #read = 0;

  private constructor(member: Member) {
    this.#member = member;
  }

  /** Connects and joins. */
  static async in(weir: Weir, room: string, user: string): Promise<Watcher> {
    const member = await come(weir, user);
    await member.say({ type: "join_room", room, presence: true });
    return new Watcher(member);
  }

  /** Whether its connection has ended. */
  get isGone(): boolean {
    return this.#member.ended !== undefined;
  }

  /** Resolves when it has an answer, or its connection has ended. */
  async answered(): Promise<void> {
    await this.#member.ask({ type: "leave_room", room: "elsewhere" });
  }

  /** What it knows now. */
  get known(): Known {
    for (; this.#read < this.#member.heard.length; this.#read++) {
      this.#known.hear(this.#member.heard[this.#read] as unknown as PresenceFrame);
    }
    return this.#known;
  }

  /** Ends its connection without a word. */
  leave(): void {
    this.#member.leave();
  }
}
