/** Asks the server to give up a statement. */
import { setTimeout } from "node:timers";
import pg, { type Client } from "pg";
import { withTimeout } from "../../../../base/timeout.ts";
import { clientConfig, destroy } from "./connecting.ts";
import type { Server } from "./server.ts";

/** Milliseconds that the request may take. */
const CANCELLING = 2000;

/** The inner parts of the library that its types do not have. */
interface CancelConnection {
  on(event: string, listener: (...values: unknown[]) => void): void;
  connect(port: number | string, host?: string): void;
  requestSsl(): void;
  cancel(process: number, secret: number): void;
  end(): void;
  readonly stream: { destroy(): void };
  upgradeToSSL(host: string, report: (error: Error) => void): void;
}

/** Milliseconds that a statement may go on after the server was asked to cancel it. */
const GIVING_UP = 2000;

/**
 * Cancels what runs on a connection. Resolves as `requestCancel` does. Where the statement goes on, its
 * connection is destroyed.
 */
export async function cancelRunning(server: Server, client: Client): Promise<void> {
  const running = activeOf(client);
  await requestCancel(server, client);
  if (running === undefined || activeOf(client) !== running) return;
  setTimeout(() => {
    if (activeOf(client) !== running) return;
    destroy(client, "the server has not given up the statement in time");
  }, GIVING_UP).unref();
}

/** What runs on a client. The property of this name prints a warning. */
function activeOf(client: Client): object | undefined {
  const { _activeQuery } = client as unknown as { readonly _activeQuery: object | null };
  return _activeQuery ?? undefined;
}

/**
 * Sends a cancel request, over a connection of its own. Resolves once the server has taken it, or
 * after two seconds. Never rejects: the statement's own end says what became of it.
 *
 * The server closes that connection after it has told the statement's process. So a request does not
 * reach a later statement on the same connection, if that one waits for this promise.
 */
export async function requestCancel(server: Server, client: Client): Promise<void> {
  const { processID, secretKey } = client as unknown as {
    readonly processID: number | null;
    readonly secretKey: number;
  };
  if (processID === null) return;
  const { ssl } = clientConfig(server);
  // Its types lack the methods, and the options that a Client gives it.
  const connection = new pg.Connection({ ssl }) as unknown as CancelConnection;
  const { promise: ended, resolve } = Promise.withResolvers<void>();
  const send = () => connection.cancel(processID, secretKey);
  connection.on("connect", () => ssl ? connection.requestSsl() : send());
  connection.on("sslconnect", send);
  connection.on("error", () => resolve());
  connection.on("end", () => resolve());
  const { host, port, tls } = server;
  const upgrade = connection.upgradeToSSL.bind(connection);
  connection.upgradeToSSL = (host, report) => upgrade(tls?.serverName ?? host, report);
  if (host.startsWith("/")) connection.connect(`${host}/.s.PGSQL.${port}`);
  else connection.connect(port, host);
  await withTimeout(ended, CANCELLING, () => {});
  connection.stream.destroy();
}
