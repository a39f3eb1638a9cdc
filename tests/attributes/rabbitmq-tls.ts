/** The machine's RabbitMQ behind TLS, for the rows of the `tls` block. */
import { readFile } from "node:fs/promises";
import { type AddressInfo, connect } from "node:net";
import { createServer, type TLSSocket } from "node:tls";
import { makeAuthority, withTemporaryFolder } from "../support/certificate.ts";
import { connection } from "./rabbitmq-support.ts";

/** How a connection with these lines in its `tls` block ends, and what the server saw of the client. */
export function overTls(lines: string): Promise<unknown> {
  return withTemporaryFolder(async (folder) => {
    const authority = await makeAuthority(folder);
    const [server, client] = [await authority.issue("server"), await authority.issue("client")];
    const [cert, key] = await Promise.all([server.cert, server.key].map((path) => readFile(path)));
    const seen: unknown[] = [];
    const options = { cert, key, ca: authority.pem, requestCert: true, rejectUnauthorized: false };
    const sockets: { destroy(): void }[] = [];
    const front = createServer(options, (socket: TLSSocket) => {
      seen.push({ name: socket.servername || null, known: socket.authorized });
      const broker = connect({ port: 5672, host: "127.0.0.1" });
      for (const [from, to] of [[socket, broker], [broker, socket]]) {
        sockets.push(from);
        from.on("error", () => to.destroy());
        from.on("close", () => to.destroy());
        from.pipe(to);
      }
    });
    front.on("tlsClientError", () => undefined);
    await new Promise<void>((resolve) => front.listen(0, "127.0.0.1", resolve));
    try {
      const port = String((front.address() as AddressInfo).port);
      const env = { PORT: port, CA: authority.ca, CERT: client.cert, KEY: client.key };
      const address = `host = "127.0.0.1"\nport = env("PORT")\ntls {\n${lines}\n}`;
      const end = await connection(address, env);
      return end === "connected" ? seen[0] : end.replace(/.*(?=shows a certificate)|: .*/gs, "");
    } finally {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => front.close(resolve));
    }
  });
}
