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
const SENDS = {
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

const ORDERS = {
  join_room: 'operation = "join_room"\n target = "constants.hall"',
  leave_room: 'operation = "leave_room"\n target = "constants.kitchen"',
  disconnect: 'operation = "disconnect"',
} as const;

/** Whom an order means. */
const USERS = {
  "the sender": "",
  "another user": 'user = "constants.bob"',
  "the sender's user": 'user = "constants.anna"',
  "a user that is not there": 'user = "constants.hall"',
} as const;

/** Which of the clients get it: by the client alone, or also by values of the event and the flow. */
const FILTERS = {
  "no filter": undefined,
  "a filter by client": "!('hall' in client.rooms) || client.params.color == 'blue'",
  "a filter by values": "client.user_id != input.hidden && constants.three == 3",
} as const;

/** What else a filter can read there. */
const VALUES = {
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
   * What starts it: a client's frame, a broker's message, a client that wants to join a room, or
   * one more client of the sender's user that comes and leaves.
   */
  readonly source: "client" | "broker" | "join" | "connect" | "disconnect";
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

function roomsOf(name: Name): readonly string[] {
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
        for (const exclude of [false, true]) {
          // A fallback sends no answer.
          for (const reads of block === "fallback" ? [false] : [false, true]) {
            yield { source: "client", block, operation, filter, exclude, user, reads };
          }
        }
        // A broker's message has no sender, which is a mistake that the configuration shows.
        if (user === "the sender") continue;
        yield { source: "broker", block, operation, filter, exclude: false, user, reads: false };
      }
      for (const source of ["connect", "disconnect"] as const) {
        if (filter !== "no filter" || operation === "send_to_client") continue;
        for (const exclude of [false, true]) {
          yield { source, block: "to", operation, filter, exclude, user, reads: false };
        }
      }
      // A room's step knows no input.
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

/** The configuration in which each of these scenarios has its flow or its room. */
export function configOf(scenarios: readonly Scenario[]): string {
  const rooms = scenarios.filter(({ source }) => source === "join").map(roomText);
  const flows = scenarios.filter(({ source }) => source !== "join").map(flowText);
  return `
    constants {
      kitchen = "kitchen"
      hall    = "hall"
      anna    = "anna"
      bob     = "bob"
      three   = 3
    }
    connector "ws" {
      type = "websocket"
      port = 0
      room "*" {
      }
      ${rooms.join("\n")}
    }
    connector "broker" {
      type   = "mq"
      driver = "memory"
    }
    flow "who" {
      from {
        connector = "ws"
        operation = "who"
      }
      response {
        id    = "client.id"
        rooms = "client.rooms"
      }
    }
    flow "mark" {
      from {
        connector = "ws"
        operation = "mark"
      }
      to {
        connector = "ws"
        operation = "broadcast"
      }
      to {
        connector = "ws"
        operation = "send_to_room"
        target    = "'hall'"
      }
    }
    ${flows.join("\n")}
  `;
}

/** The type of the messages: some scenarios have one of their own. */
export function typeOf({ operation, filter }: Scenario): string {
  return operation in SENDS && filter === "a filter by client" ? "news" : "message";
}

/** The attributes of the block that writes. */
function attributesOf(scenario: Scenario): string {
  const { operation, filter, exclude, user, block } = scenario;
  const type = typeOf(scenario);
  const what = operation in SENDS
    ? SENDS[operation as keyof typeof SENDS].text
    : ORDERS[operation as keyof typeof ORDERS];
  const plain = block === "step of a room"
    ? FILTERS[filter]?.replace("input.hidden", "room")
    : FILTERS[filter];
  const values = block === "step of a room" ? VALUES.step : VALUES[block];
  const text = filter === "a filter by values" ? `${plain} && ${values}` : plain;
  return `
    connector = "ws"
    ${what}
    ${type === "message" ? "" : `frame = "${type}"`}
    ${user === undefined ? "" : USERS[user]}
    ${text === undefined ? "" : `filter = "${text}"`}
    exclude_sender = ${exclude}
  `;
}

const BEFORE = `
  step "before" {
    connector = "ws"
    operation = "send_to_user"
    target    = "nobody is called that"
  }
`;

function roomText(scenario: Scenario): string {
  return `
    room "${scenario.key}" {
      ${BEFORE}
      step "tell" {
        ${attributesOf(scenario)}
        params = { text = "room" }
      }
      join = "true"
    }
  `;
}

function flowText(scenario: Scenario): string {
  const { key, source, block, reads } = scenario;
  const attributes = attributesOf(scenario);
  const step = `${BEFORE}
    step "tell" {
      ${attributes}
      params = {
        text    = "input.text"
        user_id = "'bob'"
      }
    }
  `;
  const [result, blocks] = ({
    to: ["output", `to {\n ${attributes}\n }`],
    "parallel to": [
      "outputs",
      `to {\n ${attributes}\n parallel = true\n }
      to {\n connector = "broker"\n target = "nowhere"\n parallel = true\n }`,
    ],
    step: ["step.tell", step],
    "step of accept": ["step.tell", `accept {\n ${step}\n when = "true"\n }`],
    fallback: [
      "",
      `to {\n connector = "broker"\n target = "input.nothing"\n }
      error_handling {\n fallback {\n ${attributes}\n }\n }`,
    ],
    "step of a room": ["", ""],
  } as const)[block];
  const from = {
    broker: `connector = "broker"\n operation = "${key}"`,
    client: `connector = "ws"\n operation = "${key}"`,
    connect: `connector = "ws"\n operation = "connect"\n filter = "client.params.key == '${key}'"`,
    disconnect:
      `connector = "ws"\n operation = "disconnect"\n filter = "client.params.key == '${key}'"`,
    join: "",
  }[source];
  return `
    flow "${key}" {
      from {
        ${from}
      }
      ${block.startsWith("step") ? blocks : ""}
      transform {
        text    = "input.text"
        number  = "1 + 1"
        user_id = "'bob'"
      }
      ${block.startsWith("step") ? "" : blocks}
      ${reads ? `response {\n result = "${result}"\n }` : ""}
    }
  `;
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
    }[filter];
    // The messages of a broker or of a room's step have no sender.
    return group(name) && shown && !(exclude && source === "client" && name === "sender");
  });
}
