/** What a NATS server says before TLS begins: whether it wants to see a certificate. */
import { connect } from "node:net";
import { isObject } from "../../../../base/json.ts";

/** The longest greeting that is read, in bytes. */
const LONGEST = 64 * 1024;

/**
 * Why a server did not end the handshake of TLS: it wants a certificate of its clients. It ends the
 * connection then without a word. Undefined where that is not the reason, or it does not answer.
 */
export async function refusesClient(
  servers: readonly string[],
  certified: boolean,
  patience: number,
): Promise<string | undefined> {
  for (const server of servers) {
    const info = await greeting(server, patience);
    if (info?.tls_verify !== true) continue;
    return certified
      ? "it refuses the certificate of tls.cert"
      : "it wants a certificate of its clients: tls.cert and tls.key";
  }
  return undefined;
}

function greeting(
  server: string,
  patience: number,
): Promise<Readonly<Record<string, unknown>> | undefined> {
  const url = new URL(`nats://${server}`);
  const host = url.hostname.replace(/^\[|\]$/g, "");
  return new Promise((resolve) => {
    const socket = connect({ host, port: Number(url.port) });
    const settle = (info: unknown): void => {
      socket.destroy();
      resolve(isObject(info) ? info : undefined);
    };
    let text = "";
    socket.setTimeout(patience, () => settle(undefined));
    socket.on("error", () => settle(undefined));
    socket.on("close", () => settle(undefined));
    socket.on("data", (bytes) => {
      text += bytes.toString();
      const end = text.indexOf("\r\n");
      if (end < 0 && text.length < LONGEST) return;
      settle(text.startsWith("INFO ") ? parsed(text.slice(5, end)) : undefined);
    });
  });
}

function parsed(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    return undefined;
  }
}
