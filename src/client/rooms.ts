/** The rooms of a client: joined again on each connection, and what is told of them. */
import type { WeirError } from "./error.ts";
import type { Frame } from "./frame.ts";
import { JOIN_AGAIN_WITHIN, LONGEST_TOLD } from "./limits.ts";
import { type Presence, updatePresence } from "./presence.ts";
import type { Platform } from "./platform.ts";
import { limit, type Requests } from "./requests.ts";
import {
  createSeat,
  type Handle,
  type JoinOptions,
  type Place,
  type Position,
  type RoomState,
} from "./seat.ts";

/** A handle, and the promise that it was returned by. */
interface Seat extends Place {
  /** The server has acknowledged the join. */
  joined(): void;
  /** The server refuses the join, at first or later. */
  failed(reason: unknown): void;
}

/** Whether the server has acknowledged a join: never, on this connection, on an earlier one. */
type State = 0 | 1 | 2;

/** A room, with all of its handles. */
interface Channel extends Presence, RoomState {
  readonly members: Presence["members"];
  count: number;
  readonly seats: Set<Seat>;
  history?: boolean;
  /** What the join asks of presence. */
  wish?: boolean | object | undefined;
  position?: Position | undefined;
  state: State;
  /** Rises with each join. */
  turn: number;
  /** Cancels the next attempt to join. */
  cancel(): void;
}

/** All rooms of a client. */
export interface RoomList {
  join(name: string, options: JoinOptions): Promise<Handle>;
  /** Joins all rooms on a new connection. */
  ready(): void;
  /** Takes a frame of a room; false if the room was not joined here. */
  receive(frame: Frame): boolean;
  /** The connection has gone; with `all`, there will be no other. */
  lost(reason: WeirError, all: boolean): void;
}

/** Where refusals of a join may be different a moment later. */
const PASSING = ["flow_failed", "timeout", "rate_limited", "unavailable"];

/** Makes an empty list; `isOpen` says whether there is a connection. */
export function createRooms(
  platform: Platform,
  requests: Requests,
  isOpen: () => boolean,
): RoomList {
  const channels = new Map<string, Channel>();

  /** Gives up the join that is on its way or that waits. */
  const stop = (channel: Channel) => {
    channel.cancel();
    return ++channel.turn;
  };

  /** Joins; `seat` is the one that asks for more than the others, who have asked for `before`. */
  const enter = (channel: Channel, seat?: Seat, before?: Channel["wish"]) => {
    const { name, position, history } = channel;
    if (!isOpen()) return;
    const turn = stop(channel);
    requests.add({
      type: "join_room",
      room: name,
      resync: true,
      presence: channel.wish,
      history: history && (position ?? true),
    }, {
      timeout: Infinity,
      answer: {
        taken({ epoch, offset, recovered }) {
          if (turn !== channel.turn) return;
          // What has come since the join was sent comes again.
          advance(channel, epoch, offset);
          const missed = recovered === false || channel.state > 1 && !recovered;
          channel.state = 1;
          for (const seat of channel.seats) {
            seat.joined();
            if (missed) seat.tell("resync");
          }
        },
        failed(reason) {
          if (turn !== channel.turn) return;
          const { code, retryAfter } = reason as WeirError;
          if (channel.state && PASSING.includes(code)) {
            const least = Math.min(retryAfter ?? 0, LONGEST_TOLD);
            channel.cancel = platform.after(
              least + platform.random() * JOIN_AGAIN_WITHIN,
              () => turn === channel.turn && enter(channel, seat, before),
            );
            return;
          }
          if (seat) {
            seat.failed(reason);
            channel.seats.delete(seat);
            if (channel.seats.size > 0) {
              channel.wish = before;
              return enter(channel);
            }
          }
          channels.delete(name);
          for (const seat of channel.seats) seat.failed(reason);
        },
      },
    });
  };

  const leave = async (channel: Channel, seat: Seat): Promise<void> => {
    seat.end();
    const wasIn = channel.seats.delete(seat);
    // Since it was refused, another channel may have its name.
    if (!wasIn || channel.seats.size || channels.get(channel.name) !== channel) return;
    channels.delete(channel.name);
    stop(channel);
    if (!isOpen()) return;
    await requests.ask({ type: "leave_room", room: channel.name }).catch((error) => {
      // A connection that has gone has left its rooms.
      if (isOpen()) throw error;
    });
  };

  const setPresence = async (channel: Channel, data: object): Promise<void> => {
    await requests.ask({ type: "presence", room: channel.name, data });
    // The next join tells it, too. With what is refused, it would be refused itself.
    channel.wish = data;
  };

  return {
    join: (name, options) =>
      new Promise((resolve, reject) => {
        const stop = limit(platform, { timeout: Infinity, ...options }, (reason) => {
          seat.failed(reason);
          leave(channel, seat).catch(() => {});
        });
        const { presence = false, history = true } = options;
        const channel = channels.get(name) ?? createChannel(name);
        channels.set(name, channel);
        const before = channel.wish;
        // What one of them tells of itself stays.
        if (presence && (presence !== true || !before)) channel.wish = presence;
        const asksMore = channel.wish !== before || history && !channel.history;
        if (history) channel.history = true;
        const seat: Seat = {
          ...createSeat(
            channel,
            () => leave(channel, seat),
            (data) => setPresence(channel, data),
          ),
          joined() {
            stop();
            resolve(seat.handle);
          },
          failed(reason) {
            stop();
            seat.end(reason);
            reject(reason);
          },
        };
        channel.seats.add(seat);
        if (typeof history === "object" && (channel.position ??= history) !== history) {
          seat.tell("resync");
        }
        if (channel.state === 1 && !asksMore) seat.joined();
        else enter(channel, seat, before);
      }),
    ready() {
      for (const channel of channels.values()) enter(channel);
    },
    receive(frame) {
      const channel = channels.get(frame.room!);
      if (channel === undefined) return false;
      const { type, data, offset, epoch } = frame;
      if (type === "presence") updatePresence(channel, frame);
      else if (
        typeof offset === "number" &&
        !advance(channel, epoch ?? channel.position?.epoch, offset)
      ) return true;
      const about = type === "presence" ? frame : data;
      for (const seat of [...channel.seats]) seat.tell(type, about, frame);
      return true;
    },
    lost(reason, all) {
      for (const channel of channels.values()) {
        stop(channel);
        if (channel.state) channel.state = 2;
        if (!all) continue;
        channels.delete(channel.name);
        for (const seat of channel.seats) seat.failed(reason);
      }
    },
  };
}

function createChannel(name: string): Channel {
  return {
    name,
    seats: new Set(),
    members: new Map(),
    count: 0,
    state: 0,
    turn: 0,
    cancel() {},
  };
}

/** Moves a position on; false where it is past that already. */
function advance(channel: Channel, epoch: unknown, offset: unknown): boolean {
  const { position } = channel;
  const next = typeof epoch === "string" && typeof offset === "number"
    ? { epoch, offset }
    : undefined;
  // A new epoch counts anew.
  if (next && position?.epoch === next.epoch && next.offset <= position.offset) return false;
  channel.position = next;
  return true;
}
