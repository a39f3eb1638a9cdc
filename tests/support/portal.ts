/** A captive portal: it answers whatever comes with its own page. */
import { createServer } from "node:net";

const PAGE = "<!doctype html><title>Log in to this network</title>";

const RESPONSE = [
  "HTTP/1.1 200 OK",
  "Content-Type: text/html",
  "Access-Control-Allow-Origin: *",
  `Content-Length: ${PAGE.length}`,
  "Connection: close",
  "",
  PAGE,
].join("\r\n");

/** One on a port of this machine. */
export interface Portal {
  /** How many requests it has answered. */
  readonly answered: () => number;
  close(): Promise<void>;
}

/** Opens one. */
export async function openPortal(port: number): Promise<Portal> {
  let answered = 0;
  const server = createServer((socket) => {
    socket.on("error", () => {}); // "close" follows.
    socket.once("data", () => {
      answered++;
      socket.end(RESPONSE);
    });
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, "127.0.0.1", resolve);
  });
  return {
    answered: () => answered,
    close: () => new Promise((resolve) => server.close(() => resolve())),
  };
}
