/**
 * The other API, for tries: it prints what it gets. While the file `down` exists in the working
 * directory, it answers 503.
 */
import { existsSync } from "node:fs";
import { createServer } from "node:http";
import process from "node:process";

const port = Number(process.env.PARTNER_PORT ?? 3100);
const known = new Set<unknown>();

createServer(async (request, response) => {
  let body = "";
  for await (const part of request.setEncoding("utf8")) body += part;
  const key = request.headers["idempotency-key"];
  const status = existsSync("down") ? 503 : 204;
  const again = known.has(key) ? " (again)" : "";
  if (status === 204) known.add(key);
  console.log(`${status} ${request.method} ${request.url} ${key}${again} ${body}`);
  response.writeHead(status).end();
}).listen(port, () => console.log(`listening on http://localhost:${port}`));
