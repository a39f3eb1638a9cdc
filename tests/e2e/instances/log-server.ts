/** An HTTP server that takes note of what flows send to it, and answers when a test wants. */
import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

/** A request. */
export interface Noted {
  readonly body: Readonly<Record<string, unknown>>;
  /** When it came, in milliseconds. */
  readonly at: number;
}

/** The server. */
export interface LogServer {
  readonly url: string;
  readonly noted: readonly Noted[];
  /** True: answers wait until it is false again. */
  hold(holds: boolean): void;
}

/** Calls `run` with a server. */
export async function withLogServer(run: (log: LogServer) => Promise<void>): Promise<void> {
  const noted: Noted[] = [];
  let held: ServerResponse[] | undefined;
  const server = createServer((request, response) => {
    let text = "";
    request.on("error", () => {}); // A killed process ends its requests.
    request.on("data", (chunk) => text += chunk);
    request.on("end", () => {
      noted.push({ body: JSON.parse(text), at: performance.now() });
      if (held === undefined) response.end("{}");
      else held.push(response);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  try {
    await run({
      url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
      noted,
      hold(holds) {
        for (const response of held?.splice(0) ?? []) response.end("{}");
        held = holds ? [] : undefined;
      },
    });
  } finally {
    server.closeAllConnections();
    server.close();
  }
}
