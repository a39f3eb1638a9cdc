/** Plays scenarios about presence, history and streams on the runtimes of one service. */
import { type Answered, FakeStream, openStream } from "../fake-stream.ts";
import type { ServingRuntime } from "../worker-runtimes.ts";
import { Epochs, type Frame, Guest, type Notes } from "./guest.ts";
import { wait } from "./wait.ts";

/** What all clients have heard up to one rest. */
export interface Page {
  readonly label: string;
  readonly notes: Readonly<Record<string, Notes>>;
  /** What else the scenario has found out. */
  readonly findings: readonly unknown[];
}

/** How a client connects. */
export interface Coming {
  /** The number of its runtime, from 0. */
  readonly at: number;
  readonly user?: string;
  readonly query?: string;
}

/** How long a run waits for what one process has heard. What differs then is a failure. */
const PATIENCE = 5_000;

/** The clients of one scenario. */
export class Party {
  /** Makes names of rooms that no other scenario uses. */
  readonly suffix: string;
  readonly pages: Page[] = [];
  readonly #runtimes: readonly ServingRuntime[];
  readonly #turn: number;
  readonly #expected: readonly Page[] | undefined;
  readonly #epochs = new Epochs();
  readonly #guests = new Map<string, Guest>();
  #findings: unknown[] = [];
  #fences = 0;
  #joinedAt = 0;

  /** `expected` is what the clients of one process have heard. */
  constructor(
    runtimes: readonly ServingRuntime[],
    turn: number,
    suffix: string,
    expected: readonly Page[] | undefined,
  ) {
    this.#runtimes = runtimes;
    this.#turn = turn;
    this.suffix = `${suffix}-${turn}`;
    this.#expected = expected;
  }

  /** The runtime at a place. */
  at(place: number): ServingRuntime {
    return this.#runtimes[(place + this.#turn) % this.#runtimes.length];
  }

  /** A client. */
  guest(name: string): Guest {
    const found = this.#guests.get(name);
    if (found === undefined) throw new Error(`nobody is called ${name}`);
    return found;
  }

  /** Connects a client; one of this name that was there before is forgotten. */
  async come(name: string, { at, user = name, query = "" }: Coming): Promise<void> {
    const guest = new Guest(await this.at(at).open(user, query), this.#epochs);
    // What is sent to its user arrives from this answer on.
    await guest.ask({ type: "hello" });
    guest.turnPage();
    this.#guests.set(name, guest);
  }

  /** Connects a client of a stream. What is refused is noted. */
  async listen(
    name: string,
    { at, user = name, query = "" }: Coming,
    lastEventId?: string,
  ): Promise<void> {
    await this.#laterMoment();
    const answer: Answered = await openStream(
      this.at(at).runtime.services.get("ws")?.stream,
      `user_id=${user}&${query}`,
      {
        headers: {
          accept: "text/event-stream",
          ...(lastEventId !== undefined && { "last-event-id": lastEventId }),
        },
      },
    );
    if (answer instanceof FakeStream) this.#guests.set(name, new Guest(answer, this.#epochs));
    else this.find(answer);
  }

  /** Sends a frame of a client; returns its answer. */
  ask(name: string, frame: Frame): Promise<Frame> {
    return this.guest(name).ask(frame);
  }

  /** A client joins a room. */
  async join(name: string, room: string, more: Frame = {}): Promise<Frame> {
    await this.#laterMoment();
    return this.ask(name, { type: "join_room", room, ...more });
  }

  /** A client joins a room and asks for its members; resolves when it has the list. */
  async watch(name: string, room: string, presence: unknown = true): Promise<void> {
    await this.join(name, room, { presence });
    const guest = this.guest(name);
    await wait(`the list of ${room}`, () => {
      guest.read();
      return guest.known.has(room);
    });
  }

  /** A client starts a flow. */
  tell(name: string, type: string, data: Frame): Promise<Frame> {
    return this.ask(name, { type, data });
  }

  /** Notes something for the comparison. */
  find(finding: unknown): void {
    this.#findings.push(finding);
  }

  /** Waits until every client that watches a room knows these members, or just so many. */
  async know(room: string, members: readonly string[] | number): Promise<void> {
    const wanted = typeof members === "number" ? members : [...members].sort().join(" ");
    await wait(`${room}: ${wanted}`, () =>
      [...this.#guests.values()].every((guest) => {
        guest.read();
        const known = guest.known.get(room);
        if (known === undefined || guest.isGone) return true;
        const shown = [...known.members.values()].map(({ user_id = "?", connections, data }) =>
          `${user_id}×${connections}${data === undefined ? "" : JSON.stringify(data)}`
        );
        return typeof members === "number"
          ? !known.isWhole && known.count === members
          : known.isWhole && shown.sort().join(" ") === wanted;
      }));
  }

  /** Nothing is on its way any more: notes what all have heard. */
  async rest(label: string): Promise<void> {
    const fence = ++this.#fences;
    const { length } = this.#runtimes;
    const guests = [...this.#guests.values()];
    await Promise.all(this.#runtimes.map(({ runtime }) => runtime.broadcast({ fence })));
    await Promise.all(guests.map((guest) => guest.fenced(fence, length)));
    const page = (): Page => ({
      label,
      notes: Object.fromEntries([...this.#guests].map(([name, { notes }]) => [name, notes])),
      findings: this.#findings,
    });
    const expected = this.#expected?.[this.pages.length];
    if (expected !== undefined) {
      const deadline = performance.now() + PATIENCE;
      const wanted = JSON.stringify(expected);
      while (JSON.stringify(page()) !== wanted && performance.now() < deadline) {
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
    }
    this.pages.push(structuredClone(page()));
    this.#findings = [];
    for (const guest of guests) guest.turnPage();
  }

  /** Instances tell the newest of two connections by the clock: no two join in one millisecond. */
  async #laterMoment(): Promise<void> {
    await wait("a later moment", () => Date.now() > this.#joinedAt + 1);
    this.#joinedAt = Date.now();
  }

  /** All clients leave. */
  end(): void {
    for (const guest of this.#guests.values()) if (!guest.isGone) guest.leave();
  }
}
