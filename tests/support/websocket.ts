/** The shared parts of a `websocket` connector, without a server. */
import type { ConnectorContext } from "../../src/contract/connector.ts";
import type { WebSocketOptions } from "../../src/connectors/websocket/options.ts";
import { createShared, type Shared } from "../../src/connectors/websocket/parts.ts";
import { ManualClock } from "./clock.ts";
import { recorder } from "./log.ts";

/** The options of a connector whose block has nothing but its port. */
export const OPTIONS: WebSocketOptions = {
  port: 0,
  host: "127.0.0.1",
  path: "/ws",
  sse: undefined,
  client: undefined,
  ping_interval: 30_000,
  pong_timeout: 10_000,
  max_message_size: 1024,
  max_connections: undefined,
  max_rooms: 8,
  concurrency: 1,
  origins: undefined,
  backplane: undefined,
  auth: undefined,
  trust_proxy: undefined,
  room: [],
  rate_limit: undefined,
  slow_client: undefined,
  compression: false,
  tls: undefined,
  static: undefined,
};

/** The shared parts of such a connector; `parts` replace some of them. */
export function sharedWith(parts: Partial<Shared> = {}): Shared {
  const context: ConnectorContext = {
    name: "ws",
    logger: recorder().logger,
    clock: new ManualClock(),
    constants: {},
    lookUp: () => ({}),
  };
  return { ...createShared(OPTIONS, context, undefined), ...parts };
}
