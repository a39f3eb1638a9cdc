/** The one function of the library. */
import type { Client, ConnectOptions } from "./api.ts";
import { createClient } from "./client.ts";
import type { Contract } from "./contract.ts";
import { platform } from "./platform.ts";

/**
 * Connects to a `websocket` connector, and connects again until the client is closed. It returns at
 * once: what is asked of the client waits for the connection.
 *
 * @param url Of the connector, such as `wss://example.com/ws`; in a page also a path, such as `/ws`.
 * @throws {TypeError} The URL is not one of a WebSocket.
 *
 * @example
 * ```ts
 * import { connect } from "@weir/runtime/client";
 *
 * const weir = connect("ws://localhost:9/ws");
 * weir.on("message", (data) => console.log(data));
 * weir.close();
 * ```
 */
export function connect<C extends Contract = Contract>(
  url: string | URL,
  options: ConnectOptions = {},
): Client<C> {
  return createClient<C>(url, options, platform);
}
