/** Everything that a flow can do to the clients of a `websocket` connector, as a table of scenarios. */

/** The users of all scenarios, by their clients; each client's worker is its place, turned by one. */
export const PEOPLE = {
  sender: { user: "anna", worker: 0, rooms: ["kitchen"], color: "red" },
  anna: { user: "anna", worker: 1, rooms: ["hall"], color: "red" },
  bob: { user: "bob", worker: 0, rooms: ["kitchen"], color: "red" },
  bobAgain: { user: "bob", worker: 1, rooms: ["kitchen", "hall"], color: "blue" },
  bobElsewhere: { user: "bob", worker: 2, rooms: [], color: "green" },
  cleo: { user: "cleo", worker: 2, rooms: ["kitchen"], color: "green" },
  nobody: { user: "", worker: 2, rooms: ["kitchen"], color: "red" },
} as const;

/** The name of a client. */
export type Name = keyof typeof PEOPLE;

/** All of them. */
export const NAMES: readonly Name[] = Object.keys(PEOPLE) as Name[];

/** The client that `send_to_client` means. */
export const ADDRESSEE: Name = "bobElsewhere";

/** What is sent, and to whom. */
export const SENDS = {
  broadcast: { text: 'operation = "broadcast"', group: () => true },
  send_to_room: {
    text: 'operation = "send_to_room"\n target = "constants.kitchen"',
    group: (name: Name) => roomsOf(name).includes("kitchen"),
  },
  send_to_user: {
    text: 'operation = "send_to_user"\n target = "constants.bob"',
    group: (name: Name) => PEOPLE[name].user === "bob",
  },
  // The user is the payload's `user_id`.
  "send_to_user by payload": {
    text: 'operation = "send_to_user"',
    group: (name: Name) => PEOPLE[name].user === "bob",
  },
  send_to_client: {
    text: 'operation = "send_to_client"\n target = "input.id"',
    group: (name: Name) => name === ADDRESSEE,
  },
} as const;

export const ORDERS = {
  join_room: 'operation = "join_room"\n target = "constants.hall"',
  leave_room: 'operation = "leave_room"\n target = "constants.kitchen"',
  disconnect: 'operation = "disconnect"',
} as const;

/** Whom an order means. */
export const USERS = {
  "the sender": "",
  "another user": 'user = "constants.bob"',
  "the sender's user": 'user = "constants.anna"',
  "a user that is not there": 'user = "constants.hall"',
} as const;

/** Which of the clients get it: by the client alone, or also by values of the event and the flow. */
export const FILTERS = {
  "no filter": undefined,
  "a filter by client": "!('hall' in client.rooms) || client.params.color == 'blue'",
  "a filter by values": "client.user_id != input.hidden && constants.three == 3",
  // JSON has nothing for most of them.
  "a filter by kinds": "client.user_id != input.hidden && step.kinds.none == null && " +
    "step.kinds.big == 9007199254740993 && step.kinds.at < timestamp('2026-01-02T00:00:00Z') && " +
    "size(step.kinds.raw) == 2 && step.kinds.nested.list[1].user != client.user_id && " +
    "step.kinds.nested.big == 9007199254740993 && step.kinds.texts['$value'][1] == '7' && " +
    "output.number == 2",
} as const;

/** What else a filter can read there. */
export const VALUES = {
  to: "output.number == 2",
  "parallel to": "output.number == 2",
  step: "step.before.recipients == 0",
  "step of accept": "step.before.recipients == 0",
  fallback: "error.code == 'flow_failed'",
} as const;

/** The block that writes. */
export type Block = keyof typeof VALUES;

/** One row of the table. */
export interface Scenario {
  /** The row in words. */
  readonly name: string;
  /** Names it: the flow's operation, routing key or parameter, or the room whose rule has the step. */
  readonly key: string;
  /**
   * What starts it: a client's frame, a broker's message that one instance takes, a message of a
   * channel that every instance hears, a client that wants to join a room, or one more client of the
   * sender's user that comes and leaves.
   */
  readonly source: "client" | "broker" | "channel" | "join" | "connect" | "disconnect";
  readonly block: Block | "step of a room";
  readonly operation: keyof typeof SENDS | keyof typeof ORDERS;
  readonly filter: keyof typeof FILTERS;
  readonly exclude: boolean;
  /** Undefined for what is sent. */
  readonly user: keyof typeof USERS | undefined;
  /** Whether the flow's answer has the result. */
  readonly reads: boolean;
}

type Row = Omit<Scenario, "name" | "key">;

/** Which rooms a client is in. */
export function roomsOf(name: Name): readonly string[] {
  return PEOPLE[name].rooms;
}

function keysOf<T extends object>(table: T): readonly (keyof T)[] {
  return Object.keys(table) as (keyof T)[];
}

/** Every combination that means something. */
export const SCENARIOS: readonly Scenario[] = [...rows()].map((row, index) => {
  const { source, block, operation, filter, exclude, user, reads } = row;
  const words = [
    ...[`${operation} from ${block}`, `started by ${source}`, filter],
    ...(exclude ? ["exclude_sender"] : []),
    ...(user === undefined ? [] : [user]),
    ...(reads ? ["with its result"] : []),
  ];
  return { ...row, key: `op.${index}`, name: words.join(", ") };
});

function* rows(): Iterable<Row> {
  for (const [operation, user] of whats()) {
    for (const filter of keysOf(FILTERS)) {
      // Without a recipient no filter is evaluated.
      if (user === "a user that is not there" && filter !== "no filter") continue;
      for (const block of keysOf(VALUES)) {
        // What a flow makes of an event is what its destinations have.
        if (filter === "a filter by kinds" && block !== "to" && block !== "parallel to") continue;
        for (const exclude of [false, true]) {
          // A fallback sends no answer.
          for (const reads of block === "fallback" ? [false] : [false, true]) {
            yield { source: "client", block, operation, filter, exclude, user, reads };
          }
        }
        // A broker's message has no sender, which is a mistake that the configuration shows.
        if (user === "the sender") continue;
        for (const source of ["broker", "channel"] as const) {
          if (source === "channel" && filter === "a filter by client") continue;
          yield { source, block, operation, filter, exclude: false, user, reads: false };
        }
      }
      for (const source of ["connect", "disconnect"] as const) {
        if (filter !== "no filter" || operation === "send_to_client") continue;
        for (const exclude of [false, true]) {
          yield { source, block: "to", operation, filter, exclude, user, reads: false };
        }
      }
      // A room's step knows no input.
      if (filter === "a filter by kinds") continue;
      if (operation === "send_to_client" || operation === "send_to_user by payload") continue;
      const block = "step of a room";
      yield { source: "join", block, operation, filter, exclude: true, user, reads: false };
    }
  }
}

function* whats(): Iterable<[Scenario["operation"], Scenario["user"]]> {
  for (const operation of keysOf(SENDS)) yield [operation, undefined];
  for (const operation of keysOf(ORDERS)) {
    for (const user of keysOf(USERS)) yield [operation, user];
  }
}

/** The type of the messages: some scenarios have one of their own. */
export function typeOf({ operation, filter }: Scenario): string {
  return operation in SENDS && filter === "a filter by client" ? "news" : "message";
}

/** The clients that must receive the first message, which bob may not; undefined where it is open. */
export function hearersOf(scenario: Scenario): readonly Name[] | undefined {
  const { operation, filter, exclude, source, key } = scenario;
  // The facts of an end have no text.
  if (!(operation in SENDS) || source === "disconnect") return undefined;
  const { group } = SENDS[operation as keyof typeof SENDS];
  return NAMES.filter((name) => {
    const { user, color } = PEOPLE[name];
    const shown = {
      "no filter": true,
      "a filter by client": !roomsOf(name).includes("hall") || color === "blue",
      "a filter by values": user !== (source === "join" ? key : "bob"),
      "a filter by kinds": user !== "bob" && user !== "cleo",
    }[filter];
    // The messages of a broker or of a room's step have no sender.
    return group(name) && shown && !(exclude && source === "client" && name === "sender");
  });
}
