/** Blocks and types of other systems, and what a configuration has for them. */
import { didYouMean } from "../base/nearest.ts";

const CONSTANTS = "write constants { NAME = … }, read as constants.NAME; " +
  'env("NAME") reads a variable of the environment';
const IN_FLOW = 'a flow has it: flow "NAME" { … }';

/** The hints for blocks of Terraform and others at the top level. */
const BLOCKS: Readonly<Record<string, string>> = {
  variable: CONSTANTS,
  variables: CONSTANTS,
  locals: CONSTANTS,
  vars: CONSTANTS,
  env: CONSTANTS,
  resource: 'write connector "NAME" { type = … }, or flow "NAME" { … }',
  data: "a step block of a flow reads data",
  output: "response in a flow answers the sender",
  module: "all *.hcl files of the folder are one configuration",
  import: "all *.hcl files of the folder are one configuration",
  include: "all *.hcl files of the folder are one configuration",
  provider: 'write connector "NAME" { type = … }',
  terraform: "leave it out",
  server: 'write connector "NAME" { type = "websocket" }, or "rest"',
  listener: 'write connector "NAME" { type = "websocket" }, or "rest"',
  route: 'write flow "NAME" { from { … } } with operation = "POST /path"',
  job: 'write flow "NAME" { … } with when = "@every 5s"',
  schedule: 'write flow "NAME" { … } with when = "@every 5s"',
  from: IN_FLOW,
  to: IN_FLOW,
  step: IN_FLOW,
  accept: IN_FLOW,
  validate: IN_FLOW,
  response: IN_FLOW,
  auth: 'a connector has it: connector "NAME" { … }',
  room: 'a connector has it: connector "NAME" { … }',
};

/** The hint for a block at the top level that is none of `blocks`. */
export function hintOfBlock(
  block: string,
  blocks: readonly string[],
  connectorTypes: readonly string[],
): string | undefined {
  if (connectorTypes.includes(block)) {
    return `write connector "NAME" { … } with type = "${block}" in it`;
  }
  if (Object.hasOwn(DRIVERS, block.toLowerCase())) {
    return `write connector "NAME" { … } with ${DRIVERS[block.toLowerCase()]} in it`;
  }
  return Object.hasOwn(BLOCKS, block) ? BLOCKS[block] : didYouMean(block, blocks);
}

const DATABASE = 'type = "database", and below it driver = ';
const BROKER = 'type = "mq", and below it driver = ';

/** The attributes of a connector by the names of what it reaches. */
const DRIVERS: Readonly<Record<string, string>> = {
  postgres: `${DATABASE}"postgres"`,
  postgresql: `${DATABASE}"postgres"`,
  pg: `${DATABASE}"postgres"`,
  mysql: `${DATABASE}"mysql"`,
  mariadb: `${DATABASE}"mysql"`,
  sqlite: `${DATABASE}"sqlite"`,
  sqlite3: `${DATABASE}"sqlite"`,
  redis: `${BROKER}"redis"`,
  rabbitmq: `${BROKER}"rabbitmq"`,
  amqp: `${BROKER}"rabbitmq"`,
  nats: `${BROKER}"nats"`,
  memory: `${BROKER}"memory"`,
  ws: 'type = "websocket"',
  wss: 'type = "websocket"',
  socket: 'type = "websocket"',
  "socket.io": 'type = "websocket"',
  websockets: 'type = "websocket"',
  api: 'type = "rest" for requests to here, or type = "http" for requests to others',
};

/** The hint for a type of connector that is none of `known`. */
export function hintOfConnectorType(type: string, known: readonly string[]): string {
  const name = type.toLowerCase();
  if (Object.hasOwn(DRIVERS, name)) return `write ${DRIVERS[name]}`;
  return didYouMean(type, known) ?? `one of ${known.join(", ")}`;
}
