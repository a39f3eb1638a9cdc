/** Measures what a scrape costs the event loop. */
import { createRuntime } from "../../src/runtime/mod.ts";
import { type FakeClient, openClient } from "./worker-runtimes.ts";

/** Scrapes that are measured; a machine that is busy disturbs some of them. */
const TRIES = 30;

const CONFIG = `
  connector "ws" {
    type            = "websocket"
    port            = 0
    max_connections = 20000
  }
  connector "events" {
    type   = "mq"
    driver = "memory"
  }
  ${
  Array.from({ length: 10 }, (_, n) => `
    flow "flow_${n}" {
      from {
        connector = "ws"
        operation = "type_${n}"
      }
      to {
        connector = "events"
        target    = "event.${n}"
      }
    }
  `).join("")
}
`;

/** Milliseconds that scrapes took. */
export interface ScrapeCost {
  readonly best: number;
  readonly median: number;
  /** With bytes that wait for every client. */
  readonly slow: number;
}

/** Measures scrapes of a service with 10 flows and so many connections, users and rooms. */
export async function scrapeCost(connections: number): Promise<ScrapeCost> {
  const runtime = await createRuntime(CONFIG, { metrics: true });
  const [endpoint] = runtime.endpoints;
  try {
    const clients: FakeClient[] = [];
    for (let n = 0; n < connections; n++) {
      const client = await openClient(endpoint, `user-${n}`);
      client.tell({ type: "join_room", room: `room-${n % 1000}`, id: n });
      clients.push(client);
    }
    const times = await measure(runtime);
    for (const client of clients) client.bufferedAmount = 1000;
    await runtime.broadcast("waits");
    const slow = (await measure(runtime))[0];
    for (const client of clients) client.leave();
    return { best: times[0], median: times[TRIES >> 1], slow };
  } finally {
    await runtime.close();
  }
}

/** The times of some scrapes, the shortest first. */
async function measure(runtime: { metrics(): Promise<string> }): Promise<readonly number[]> {
  const times: number[] = [];
  for (let n = 0; n < TRIES; n++) {
    // What was sent goes out before.
    await new Promise((resolve) => setTimeout(resolve, 1));
    const began = performance.now();
    // Nothing in it waits for anything else than the end of the turn.
    await runtime.metrics();
    times.push(performance.now() - began);
  }
  return times.sort((a, b) => a - b);
}
