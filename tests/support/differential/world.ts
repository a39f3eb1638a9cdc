/** Plays scenarios on the runtimes of one service, with the same clients everywhere. */
import type { ServingRuntime } from "../worker-runtimes.ts";
import type { TestConnectors } from "./connectors.ts";
import { Person } from "./person.ts";
import { ADDRESSEE, type Name, NAMES, PEOPLE, roomsOf, type Scenario } from "./scenarios.ts";

/** What became of one client. */
export interface Fate {
  readonly heard: readonly unknown[];
  readonly ended: unknown;
  readonly rooms: unknown;
}

/** Also of the client that comes and leaves. */
export type Transcript = Readonly<Record<Name | "newcomer", Fate>>;

/** The runtimes of a service, one or several. */
export interface Runtimes {
  readonly runtimes: readonly ServingRuntime[];
  readonly connectors: TestConnectors;
}

/** The runtimes and their clients, which stay from one scenario to the next. */
export class World {
  readonly #runtimes: readonly ServingRuntime[];
  readonly #connectors: TestConnectors;
  /** Says where each client is. */
  readonly #turn: number;
  readonly #people = new Map<Name, Person>();
  #fences = 0;
  /** The rooms of all at the end of the last scenario. */
  #known: ReadonlyMap<Name, readonly string[]> | undefined;

  constructor({ runtimes, connectors }: Runtimes, turn: number) {
    this.#runtimes = runtimes;
    this.#connectors = connectors;
    this.#turn = turn;
  }

  /** Plays a scenario. */
  async play(scenario: Scenario): Promise<Transcript> {
    await this.gather();
    const [sender, addressee] = [this.person("sender"), this.person(ADDRESSEE)];
    await addressee.ask({ type: "who", id: "who" });
    const id = addressee.take()[0].data?.id;
    let newcomer: Person | undefined;
    for (const [text, hidden] of [["one", "bob"], ["two", "cleo"]]) {
      newcomer = await this.#act(scenario, { text, hidden, id }, newcomer);
      if (!hasEnded(scenario)) await this.fence();
      // Shows whether the order is kept, and which clients are in which room or gone.
      const mark = `after ${text}`;
      await sender.ask({ type: "mark", id: mark, data: { text: mark } });
      // What is on its way to a client that leaves would arrive or not.
      // What an instance hears of a channel itself has no order among what the others send.
      if (newcomer !== undefined || scenario.source === "channel") await this.fence(newcomer);
    }
    await this.fence();
    const heard = NAMES.map((name) => this.person(name).take());
    const rooms = await this.rooms();
    this.#known = rooms;
    const fates = NAMES.map((name, index): [string, Fate] => [name, {
      heard: heard[index].map(withoutRef),
      ended: this.person(name).client.ended,
      rooms: rooms.get(name),
    }]);
    const last = {
      heard: newcomer?.take().map(withoutRef) ?? [],
      ended: newcomer?.client.ended,
      rooms: undefined,
    };
    return Object.fromEntries([...fates, ["newcomer", last]]) as unknown as Transcript;
  }

  /** Does something where the sender is. Returns its result, and what each client has heard. */
  async hear(
    act: (place: ServingRuntime) => Promise<unknown>,
  ): Promise<readonly [result: unknown, heard: ReadonlyMap<Name, readonly unknown[]>]> {
    await this.gather();
    const result = await act(this.#placeOf("sender"));
    await this.fence();
    const heard = NAMES.map((name) => [name, this.person(name).take().map(withoutRef)] as const);
    return [result, new Map(heard)];
  }

  /** All clients leave. */
  leave(): void {
    for (const person of this.#people.values()) person.leave();
    this.#people.clear();
  }

  #placeOf(name: Name): ServingRuntime {
    return this.#runtimes[(PEOPLE[name].worker + this.#turn) % this.#runtimes.length];
  }

  /** A client. */
  person(name: Name): Person {
    return this.#people.get(name)!;
  }

  /** Connects all that are not there, and brings everybody into their rooms and out of others. */
  async gather(): Promise<void> {
    for (const name of NAMES) {
      if (this.#people.get(name)?.isGone === false) continue;
      const { user, color } = PEOPLE[name];
      const client = await this.#placeOf(name).open(user, `color=${color}`);
      this.#people.set(name, new Person(client));
    }
    const rooms = this.#known ?? await this.rooms();
    this.#known = undefined;
    await Promise.all(NAMES.map(async (name) => {
      const person = this.person(name);
      const [is, shall] = [rooms.get(name) ?? [], roomsOf(name)];
      for (const room of is) {
        if (!shall.includes(room)) await person.ask({ type: "leave_room", room, id: `-${room}` });
      }
      for (const room of shall) {
        if (!is.includes(room)) await person.ask({ type: "join_room", room, id: `+${room}` });
      }
      person.take();
    }));
  }

  /** Returns the client that comes and leaves, where the scenario has one. */
  async #act(
    { source, key }: Scenario,
    data: Readonly<Record<"text" | "hidden" | "id", string | undefined>>,
    newcomer: Person | undefined,
  ): Promise<Person | undefined> {
    const { text = "" } = data;
    const sender = this.person("sender");
    const { runtime, open } = this.#placeOf("sender");
    switch (source) {
      // The sender's next frame is served after these.
      case "client":
        sender.tell({ type: key, id: text, data });
        return;
      case "join":
        sender.tell({ type: "join_room", room: key, id: text });
        return;
      case "broker":
        await this.#connectors.ending(() => runtime.publish(key, data, { connector: "broker" }));
        return;
      case "channel":
        await this.#connectors.publish(key, data);
        return;
      default: {
        const query = `${new URLSearchParams({ text, key })}`;
        let person = newcomer;
        const next = async () => {
          if (person === undefined) person = new Person(await open("anna", query));
          else person.leave();
        };
        // Its flow runs when it comes, or when it leaves.
        const runs = (newcomer === undefined) === (source === "connect");
        await (runs ? this.#connectors.ending(next) : next());
        return person;
      }
    }
  }

  /** Waits until everything that any runtime has sent before has arrived everywhere. */
  async fence(newcomer?: Person): Promise<void> {
    const fence = ++this.#fences;
    const { length } = this.#runtimes;
    await Promise.all(this.#runtimes.map(({ runtime }) => runtime.broadcast({ fence })));
    const people = [...this.#people.values(), ...(newcomer === undefined ? [] : [newcomer])];
    await Promise.all(people.map((person) => person.fenced(fence, length)));
  }

  /** The rooms of the clients that are there. */
  async rooms(): Promise<ReadonlyMap<Name, readonly string[]>> {
    const rooms = new Map<Name, readonly string[]>();
    await Promise.all(NAMES.map(async (name) => {
      const person = this.person(name);
      await person.ask({ type: "who", id: "who" });
      const answer = person.take().at(-1);
      if (!person.isGone) rooms.set(name, answer?.data?.rooms ?? []);
    }));
    return rooms;
  }
}

/**
 * Whether all that it does is done before the sender's next message: not where another instance may
 * have taken the event, nor where nobody is told of the end of a fallback.
 */
function hasEnded({ source, block }: Scenario): boolean {
  return source !== "channel" && !(source === "broker" && block === "fallback");
}

/** Each failure has a reference of its own. */
function withoutRef(message: unknown): unknown {
  const text = JSON.stringify(message).replaceAll(/\(ref \w+\)/g, "(ref)");
  return JSON.parse(text.replaceAll(/"ref":"\w+"/g, '"ref":""'));
}
