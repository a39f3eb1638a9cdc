/** What presence adds to the cost of a join. */
import { type Crowd, measurementOf } from "../load/crowd.ts";
import type { Bench, Contender, Contest, Scenario } from "../scenario.ts";
import type { Server } from "../servers.ts";
import { openContest } from "./crowd-contest.ts";
import { runtimes, weir } from "./programs.ts";

const clients = 10_000;
const rooms = 100;
const watchers = 10;

/** Milliseconds until all that was joined has been told. */
const QUIET = 400;

/** The scenario. */
export const scenario: Scenario = {
  name: "presence-join",
  title: "A join of a room with presence",
  about: `${clients} users join ${rooms} rooms, each room with ${watchers} clients that are told ` +
    "of new members. The cost is all that the server's process spends on a join, until everybody has " +
    "been told. `plain` is the same without presence.",
  unit: "µs CPU a join",
  contenders: runtimes.flatMap((runtime) => [
    { name: `weir-${runtime}`, runtime },
    { name: `plain-${runtime}`, runtime },
  ]),
  bars: runtimes.map((runtime) => ({
    of: `weir-${runtime}`,
    against: `plain-${runtime}`,
    figure: "beyond",
    bound: 30,
  })),
  open,
};

function open({ name, runtime }: Contender, bench: Bench): Promise<Contest> {
  const room = name.startsWith("plain") ? "plain" : "p";
  let server: Server | undefined;
  const audience = new Audience();
  return openContest({
    spec: weir(runtime!, "bench/configs/presence"),
    async prepare(crowd, started) {
      server = started;
      await crowd.open(clients, "/ws?user_id=user%d");
      await audience.open(started.port, room);
    },
    async round(crowd) {
      const before = await server!.cpu();
      const work = await change(crowd, "join_room", room);
      await pause(QUIET);
      const cost = (await server!.cpu() - before) * 1e6 / work.done;
      await change(crowd, "leave_room", room);
      await pause(QUIET);
      return { ...measurementOf(work), cost };
    },
    also: audience,
  }, bench);
}

/** Every client joins or leaves the room of its hundred. */
function change(crowd: Crowd, type: "join_room" | "leave_room", room: string) {
  const frame = `{"type":"${type}","id":%n,"room":"${room}%h"}`;
  const answer = '{"type":"ack","id":%n}';
  return crowd.ask({ first: 0, count: clients, each: 1, window: 1, frame, answer });
}

/** Clients of this program, each in all rooms: what they hear is not looked at. */
class Audience implements AsyncDisposable {
  readonly #sockets: WebSocket[] = [];

  async open(port: number, room: string): Promise<void> {
    for (let n = 0; n < watchers; n++) {
      const socket = new WebSocket(`ws://127.0.0.1:${port}/ws?user_id=watcher${n}`);
      this.#sockets.push(socket);
      const { promise, resolve, reject } = Promise.withResolvers<void>();
      let left = rooms;
      socket.onmessage = ({ data }) => {
        if (left > 0 && String(data).startsWith('{"type":"ack"') && --left === 0) resolve();
      };
      socket.onerror = () => reject(new Error("a watcher has no connection"));
      socket.onopen = () => {
        for (let id = 0; id < rooms; id++) {
          const frame = { type: "join_room", id, room: `${room}${id}`, presence: true };
          socket.send(JSON.stringify(frame));
        }
      };
      await promise;
    }
  }

  [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) {
      socket.onerror = null;
      socket.close();
    }
    return Promise.resolve();
  }
}

function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
