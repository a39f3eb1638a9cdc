/** The configuration of the scenarios: each has its flow, or its room. */
import { FILTERS, ORDERS, type Scenario, SENDS, typeOf, USERS, VALUES } from "./scenarios.ts";

/**
 * The configuration in which each of these scenarios has its flow or its room. `bus` is the blocks of
 * a backplane with the name "bus".
 */
export function configOf(scenarios: readonly Scenario[], bus: string): string {
  const rooms = scenarios.filter(({ source }) => source === "join").map(roomText);
  const flows = scenarios.filter(({ source }) => source !== "join").map(flowText);
  return `
    ${bus}
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
      max_rooms = 3
      backplane = "bus"
      room "*" {
      }
      ${rooms.join("\n")}
    }
    connector "broker" {
      type   = "mq"
      driver = "memory"
    }
    connector "done" {
      type = "done"
    }
    connector "channel" {
      type = "channel"
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
    flow "crowd" {
      from {
        connector = "ws"
        operation = "crowd"
      }
      to {
        connector = "ws"
        operation = "join_room"
        target    = "input.room"
        user      = "constants.bob"
      }
      error_handling {
        fallback {
          connector     = "ws"
          operation     = "broadcast"
          include_error = true
        }
      }
    }
    ${flows.join("\n")}
  `;
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

/** Gets values of each kind. */
const KINDS = `
  step "kinds" {
    connector = "done"
    operation = "kinds"
  }
`;

/** Whether a client gets an answer when the flow has ended. */
function isAnswered({ source }: Scenario): boolean {
  return source === "client" || source === "join";
}

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
  const { key, source, block, reads, filter } = scenario;
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
      `to {\n connector = "done"\n operation = "fail"\n }
      error_handling {\n fallback {\n ${attributes}\n }\n }`,
    ],
    "step of a room": ["", ""],
  } as const)[block];
  const from = {
    broker: `connector = "broker"\n operation = "${key}"`,
    channel: `connector = "channel"\n operation = "${key}"`,
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
      ${filter === "a filter by kinds" ? KINDS : ""}
      ${block.startsWith("step") ? blocks : ""}
      transform {
        text    = "input.text"
        number  = "1 + 1"
        user_id = "'bob'"
      }
      ${block.startsWith("step") ? "" : blocks}
      ${isAnswered(scenario) || block === "fallback" ? "" : 'to {\n connector = "done"\n }'}
      ${reads ? `response {\n result = "${result}"\n }` : ""}
    }
  `;
}
