/**
 * Connects with the client library, on sockets that always have a listener for errors. The library takes
 * its own listeners away between two steps, and what a server says then would end the process. On Deno
 * that is the end of every handshake that a server refuses after it, such as for the client's certificate.
 */
import type { ConnectionOptions, NatsConnection } from "@nats-io/transport-node";
import {
  NatsConnectionImpl,
  setTransportFactory,
} from "@nats-io/transport-node/lib/nats-base-client.js";
import { nodeResolveHost, NodeTransport } from "@nats-io/transport-node/lib/node_transport.js";
import type { Socket } from "node:net";
import { connect as connectTls, type TLSSocket } from "node:tls";

/** Does what the library's function of the same name does. */
export function connect(options: ConnectionOptions): Promise<NatsConnection> {
  const factory = () => new HeardTransport();
  // The library's own function sets its own factory at each call.
  setTransportFactory({ factory, dnsResolveFn: nodeResolveHost });
  return NatsConnectionImpl.connect(options);
}

class HeardTransport extends NodeTransport {
  override async dial(place: Parameters<NodeTransport["dial"]>[0]): Promise<Socket> {
    return heard(await super.dial(place));
  }

  override startTLS(): Promise<TLSSocket> {
    const { socket, tlsName: servername, options: { tls } } = this;
    return new Promise((resolve, reject) => {
      const secure = heard(connectTls({ servername, ...tls, socket }));
      let failure: Error | undefined;
      secure.on("error", (error) => void (failure ??= error));
      secure.once("secureConnect", () => resolve(secure));
      secure.once("close", () => reject(failure ?? new Error("the connection was closed")));
    });
  }
}

/** Whoever takes all listeners away leaves one. */
function heard<S extends Socket>(socket: S): S {
  const remove = socket.removeAllListeners.bind(socket);
  socket.removeAllListeners = (event?: string | symbol) => {
    if (event === undefined) remove();
    else remove(event);
    return socket.on("error", ignore);
  };
  return socket.on("error", ignore);
}

/** The end of the connection follows. */
function ignore(): void {}
