/** 1000 clients are cut off, and their server is away for a second. */
import type { Buffer } from "node:buffer";
import { connect, createServer, type Server, type Socket } from "node:net";
import { busiest } from "../../../tests/support/busiest.ts";
import { keptPort } from "../../../tests/support/ports.ts";
import { summarize } from "../../statistics.ts";
import { pause, type Program, until, type World } from "../world.ts";

const CLIENTS = 1000;
/** Processes that share the clients: in one process, timers would be late. */
const PROCESSES = 2;
const AWAY = 1000;
const WIDTH = 200;
const ROUNDS = 3;

/** What happened, the median of three rounds. */
export type Storm = {
  /** The largest part of the attempts within 200 ms. */
  readonly share: number;
  readonly attempts: number;
  /** From the server's return until all clients are open, in milliseconds. */
  readonly back: number;
};

/** Passes connections on to a server, or ends each as soon as it says what it wants. */
class Door {
  readonly port: number;
  /** When a client began to connect. */
  readonly attempts: number[] = [];
  isOpen = true;
  readonly #listener: Server;
  readonly #sockets = new Set<Socket>();

  private constructor(port: number, target: number) {
    this.port = port;
    this.#listener = createServer((client) => {
      this.#keep(client);
      client.once("data", (head) => this.#take(client, head as Buffer, target));
    });
  }

  static async open(target: number): Promise<Door> {
    const door = new Door(await keptPort(), target);
    const options = { port: door.port, host: "127.0.0.1", backlog: 4096 };
    await new Promise<void>((resolve) => door.#listener.listen(options, resolve));
    return door;
  }

  /** Ends all connections. */
  cut(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  close(): void {
    this.#listener.close();
    this.cut();
  }

  #take(client: Socket, head: Buffer, target: number): void {
    // Later requests of a session of Socket.IO have its id.
    if (!head.subarray(0, head.indexOf("\r\n")).includes("sid=")) {
      this.attempts.push(performance.now());
    }
    if (!this.isOpen) return void client.destroy();
    const server = connect({ port: target, host: "127.0.0.1", noDelay: true });
    this.#keep(server);
    client.setNoDelay(true);
    server.write(head);
    client.pipe(server).pipe(client);
    client.on("close", () => server.destroy());
    server.on("close", () => client.destroy());
  }

  #keep(socket: Socket): void {
    this.#sockets.add(socket);
    socket.on("error", () => {}); // "close" follows.
    socket.on("close", () => this.#sockets.delete(socket));
  }
}

/** Measures it. */
export async function storm(world: World): Promise<Storm> {
  await world.startServer();
  const door = await Door.open(world.port);
  try {
    const options = { port: door.port, count: CLIENTS / PROCESSES };
    const crowds: Program[] = [];
    for (let n = 0; n < PROCESSES; n++) crowds.push(await world.start("crowd", options));
    await until(`${CLIENTS} clients`, () => openOf(crowds) === CLIENTS, 20, 120_000);
    const rounds: Storm[] = [];
    while (rounds.length < ROUNDS) {
      // Waits between attempts begin anew, and Socket.IO ends its requests of HTTP.
      await pause(5000);
      rounds.push(await again(door, crowds));
    }
    const median = (figure: keyof Storm) => summarize(rounds.map((round) => round[figure])).median;
    return { share: median("share"), attempts: median("attempts"), back: median("back") };
  } finally {
    door.close();
  }
}

async function again(door: Door, crowds: readonly Program[]): Promise<Storm> {
  door.attempts.length = 0;
  door.isOpen = false;
  const start = Date.now();
  door.cut();
  await until("the loss", () => openOf(crowds) < CLIENTS, 5, 60_000);
  await pause(Math.max(0, start + AWAY - Date.now()));
  door.isOpen = true;
  const there = Date.now();
  await until("all clients again", () => openOf(crowds) === CLIENTS, 10, 120_000);
  const last = Math.max(...crowds.map((crowd) => crowd.of("crowd").at(-1)?.at ?? Infinity));
  return {
    share: busiest(door.attempts, WIDTH),
    attempts: door.attempts.length,
    back: last - there,
  };
}

/** How many clients are open. */
function openOf(crowds: readonly Program[]): number {
  return crowds.reduce((sum, crowd) => sum + (crowd.of("crowd").at(-1)?.open ?? 0), 0);
}
