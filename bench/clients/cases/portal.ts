/** A captive portal answers every request with its page, for twenty seconds; then the server is there. */
import { createServer } from "node:http";
import { pause, type World } from "../world.ts";

const WATCHED = 20_000;

/** What happened. */
export type Portal = {
  /** What the script was told first. */
  readonly reason: string;
  /** Requests that the portal got. */
  readonly requests: number;
  /** Whether the library gave up. */
  readonly over: boolean;
  /** From the server's start until the connection is open, in milliseconds. */
  readonly back: number;
};

/** Measures it. */
export async function portal(world: World): Promise<Portal> {
  let requests = 0;
  const page = createServer((_, response) => {
    requests++;
    response.writeHead(200, { "content-type": "text/html" }).end("<h1>Sign in</h1>");
  });
  // A portal knows nothing of WebSockets.
  page.on("upgrade", (_, socket) => {
    requests++;
    socket.end("HTTP/1.1 200 OK\r\ncontent-type: text/html\r\n\r\n<h1>Sign in</h1>");
  });
  await new Promise<void>((resolve) => page.listen(world.port, "127.0.0.1", resolve));
  const client = await world.start("connection");
  const first = await client.told("a failure", ({ event }) => event !== "open");
  await pause(WATCHED);
  page.closeAllConnections();
  await new Promise((resolve) => page.close(resolve));
  const over = client.of("over").length > 0;
  await world.startServer();
  const start = Date.now();
  const open = await client.told("the connection", ({ event }) => event === "open");
  const reason = "reason" in first ? first.reason : "";
  return { reason, requests, over, back: open.at - start };
}
