/** A room to which one client sends and whose members compare what they receive. */
import { type Crowd, measurementOf } from "../load/crowd.ts";
import { paced, paceOf } from "../pace.ts";
import type { Bench, Contest } from "../scenario.ts";
import type { Server, ServerSpec } from "../servers.ts";
import { openContest } from "./crowd-contest.ts";

/** A frame that every client sends, and the number of frames that it has received once that is answered. */
export interface Saying {
  readonly frame: string;
  readonly frames: number;
}

/** The protocol of a server's room. */
export interface Dialect {
  /** The members' path; `/ws` by default. */
  readonly path?: string;
  /** The sender's path; that of the members by default. */
  readonly senderPath?: string;
  /** A subprotocol, or `engine.io`. */
  readonly protocol?: string;
  /** What every client sends first. */
  readonly greeting?: Saying;
  /** What a member sends then. */
  readonly join?: Saying;
  /** The frame with which the sender sends data to everyone. */
  frame(data: string): string;
  /** The frame that everyone receives. */
  copy(data: string): string;
}

/** The protocol of Weir and of the baselines. */
export const weirDialect: Dialect = {
  join: { frame: '{"type":"join_room","id":1,"room":"r"}', frames: 1 },
  frame: (data) => `{"type":"message","data":${data}}`,
  copy: (data) => `{"type":"message","data":${data},"room":"r"}`,
};

/** A server with a room, and what is sent to it. */
export interface Room {
  readonly spec: ServerSpec;
  /** Weir's by default. */
  readonly dialect?: Dialect;
  readonly members: number;
  /** Outstanding messages. */
  readonly window: number;
  /** Messages a second; by default as many as the window allows. */
  readonly rate?: number;
  /** JSON; 100 bytes by default. */
  readonly data?: string;
  /** Whether the server has workers, whose shares of the work are measured. */
  readonly workers?: boolean;
  /** Does something with the server before and after the clients have connected. */
  around?(server: Server, connect: () => Promise<void>): Promise<void>;
}

/** JSON of this size, with the message's number in it. */
export function dataOf(bytes: number): string {
  const [head, tail] = ['{"n":"%N","text":"', '"}'];
  const text = "The quick brown fox jumps over the lazy dog. ";
  // The number has nine digits, where the text has two characters.
  const length = bytes - (head.length + 7) - tail.length;
  return head + text.repeat(Math.ceil(length / text.length)).slice(0, length) + tail;
}

/** Starts a server, lets all members join the room, and has one more client send to it. */
export function openRoom(room: Room, bench: Bench): Promise<Contest> {
  const {
    spec,
    dialect = weirDialect,
    members,
    window,
    rate,
    data = dataOf(100),
    workers = false,
    around = (_, connect) => connect(),
  } = room;
  const range = { first: 0, count: members };
  const fan = {
    ...range,
    sender: members,
    window,
    ...rate === undefined ? {} : { rate },
    frame: dialect.frame(data),
    copy: dialect.copy(data),
  };
  let measure: (() => ReturnType<Crowd["fan"]>) | undefined;
  return openContest({
    spec,
    workers,
    ...dialect.protocol === undefined ? {} : { protocol: dialect.protocol },
    async prepare(crowd, server) {
      await around(server, async () => {
        await crowd.open(members, dialect.path);
        await crowd.open(1, dialect.senderPath ?? dialect.path);
      });
      const { greeting, join } = dialect;
      if (greeting) await crowd.tell({ first: 0, count: members + 1 }, ...sayingOf(greeting));
      if (join) await crowd.tell(range, ...sayingOf(join));
    },
    async round(crowd) {
      const work = (messages: number) => crowd.fan({ ...fan, messages });
      // A rate does not fill the window, so a round needs few messages.
      measure ??= paced(work, paceOf(bench), rate === undefined ? 2 * window : 10);
      return measurementOf(await measure());
    },
  }, bench);
}

function sayingOf({ frame, frames }: Saying): [string, number] {
  return [frame, frames];
}
