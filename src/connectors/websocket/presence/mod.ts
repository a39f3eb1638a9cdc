/**
 * The presence of rooms: their members, for the clients that ask, for flows and for programs.
 *
 * `room.ts` has the members of one room, `notices.ts` tells its watchers, `others.ts` tells and hears
 * the other instances, `wire.ts` is what crosses, `values.ts` what is told of a member. Loaded only
 * where a `room` block has `presence` (`fields.ts`).
 */
import { ConnectorError } from "../../../base/errors.ts";
import { newRef } from "../../../base/ids.ts";
import { messageOf, quoted } from "../../../base/shown.ts";
import type { ConnectorContext, WriteRequest } from "../../../contract/connector.ts";
import { type JoinWishes, ORDERED } from "../join-wishes.ts";
import type { Shared } from "../parts.ts";
import { type Refusal, roomProblem } from "../protocol.ts";
import type { OpenConnection } from "../registry.ts";
import type { JoinAnswer, RoomFeature } from "../room-feature.ts";
import { PRESENCE } from "./checks.ts";
import type { PresenceOptions } from "./fields.ts";
import type { Member, Place } from "./member.ts";
import { Others } from "./others.ts";
import { PresenceRoom, type RoomContext } from "./room.ts";
import { dataOf, infoOf } from "./values.ts";

/** The members of a room. */
export interface RoomPresence {
  readonly count: number;
  /** Empty above `max`. */
  readonly members: readonly unknown[];
}

/** The info of a client that is about to join. */
interface Evaluated {
  readonly connection: OpenConnection;
  readonly room: string;
  readonly info: string | undefined;
}

/** Between two joins of one millisecond: the times of a burst must not run ahead of the clock. */
const STEP = 0.001;

/** The presence of all rooms of one connector. */
export class Presence implements RoomFeature {
  readonly frames: ReadonlySet<string> = new Set(["presence"]);
  readonly operations: ReadonlySet<string> = new Set([PRESENCE]);
  readonly kind = "presence";
  readonly others: Others | undefined;
  readonly #shared: Shared;
  readonly #constants: ConnectorContext["constants"];
  readonly #rooms = new Map<string, PresenceRoom>();
  readonly #context: RoomContext;
  /** The places that lost connections keep, until the time in which they may come back is over. */
  readonly #lost = new WeakMap<OpenConnection, (readonly [PresenceRoom, Place])[]>();
  /** The last info that was evaluated for a join. */
  #evaluated: Evaluated | undefined;
  #lastMoment = 0;
  #members = 0;
  #frames = 0;
  #hasWarned = false;

  constructor(shared: Shared, { constants, instances }: ConnectorContext) {
    const { clock, outboxes, newId, interest } = shared;
    this.#shared = shared;
    this.#constants = constants;
    this.others = instances && new Others({ instances, clock, rooms: this.#rooms });
    this.#context = {
      clock,
      limit: outboxes.limit,
      sent: (frames) => void (this.#frames += frames),
      tooLarge: (room) => this.#warn(room),
      now: () => this.#lastMoment = Math.max(this.#lastMoment + STEP, clock.now()),
      newKey: newId,
      ownChanged: (room, member, came) => this.others?.changed(room, member, came),
      kept: (room, isKept) => {
        // A client that comes back elsewhere is heard of here.
        if (isKept) interest?.listen(room)?.catch(() => {});
        else interest?.unlisten(room);
      },
      counted: (members) => void (this.#members += members),
      ended: (room) => {
        this.#rooms.get(room)?.close();
        this.#rooms.delete(room);
      },
    };
  }

  refuse(connection: OpenConnection, room: string, { presence }: JoinWishes): Refusal | undefined {
    const options = this.#optionsOf(room);
    if (options === undefined) return undefined;
    if (presence?.data !== undefined) {
      const data = dataOf(options, room, presence.data);
      if ("code" in data) return data;
    }
    try {
      this.#evaluated = { connection, room, info: this.#infoOf(options, connection, room) };
      return undefined;
    } catch (error) {
      const ref = this.#logFailure(room, error);
      return { code: "flow_failed", message: `the room's presence failed (ref ${ref})` };
    }
  }

  joined(connection: OpenConnection, room: string, wishes: JoinWishes): void {
    const { presence } = wishes;
    const known = this.#rooms.get(room);
    const options = known?.options ?? this.#optionsOf(room);
    if (options === undefined) return;
    const checked = presence?.data && dataOf(options, room, presence.data);
    const data = checked && "text" in checked ? checked.text : undefined;
    const place = known?.placeOf(connection);
    if (place !== undefined) {
      known?.tell(place, { info: this.#infoOrLog(options, connection, room) ?? place.info, data });
      if (wishes !== ORDERED && presence === undefined) known?.notices.remove(connection);
      return;
    }
    const found = known ??
      new PresenceRoom(room, options, this.others === undefined, this.#context);
    this.#rooms.set(room, found);
    found.enter(connection, { info: this.#infoToJoin(options, connection, room), data });
  }

  answer(
    connection: OpenConnection,
    room: string,
    { presence }: JoinWishes,
  ): JoinAnswer | undefined {
    if (presence === undefined || !this.#rooms.has(room)) return undefined;
    return { answered: () => this.#watch(connection, room) };
  }

  left(connection: OpenConnection, name: string, isLost: boolean): void {
    const room = this.#rooms.get(name);
    if (room === undefined) return;
    if (!isLost || room.options.leave_grace === 0) return room.leave(connection);
    const place = room.lose(connection);
    if (place === undefined) return;
    const lost = this.#lost.get(connection);
    if (lost === undefined) this.#lost.set(connection, [[room, place]]);
    else lost.push([room, place]);
  }

  ended(connection: OpenConnection): void {
    const lost = this.#lost.get(connection) ?? [];
    this.#lost.delete(connection);
    for (const [room, place] of lost) room.end(place);
  }

  renewed(connection: OpenConnection): void {
    this.#evaluated = undefined;
    for (const name of connection.state.rooms) {
      const room = this.#rooms.get(name);
      const place = room?.placeOf(connection);
      if (room === undefined || place === undefined) continue;
      const info = this.#infoOrLog(room.options, connection, name) ?? place.info;
      room.tell(place, { info });
    }
  }

  serve(connection: OpenConnection, name: string, data: unknown): Refusal | undefined {
    const room = this.#rooms.get(name);
    const place = room?.placeOf(connection);
    if (room === undefined || place === undefined) {
      const message = `the client is not in a room ${quoted(name)} with presence`;
      return { code: "invalid_message", message };
    }
    const checked = dataOf(room.options, name, data);
    if ("code" in checked) return checked;
    room.tell(place, { data: checked.text });
    return undefined;
  }

  ask({ target }: Pick<WriteRequest, "target">): RoomPresence | Promise<RoomPresence> {
    const problem = roomProblem(target);
    if (target === undefined || problem !== undefined) this.#fail(`presence: ${problem}`);
    const options = this.#optionsOf(target);
    if (options === undefined) this.#fail(`presence: room ${quoted(target)} has no presence`);
    const { others } = this;
    const room = this.#rooms.get(target);
    if (room !== undefined) {
      if (others === undefined || (room.hearsOthers && !others.isAsking(room))) {
        return presenceOf(room);
      }
      return this.#learn(room, others).then(() => presenceOf(room));
    }
    const visited = others?.visited(target) ??
      new PresenceRoom(target, options, true, this.#context);
    if (others === undefined) return presenceOf(visited);
    return others.visit(visited).then(() => presenceOf(visited));
  }

  counts(): Readonly<Record<string, number>> {
    return { presence_members: this.#members, presence_frames: this.#frames };
  }

  close(): void {
    this.others?.close();
    for (const room of this.#rooms.values()) room.close();
    this.#rooms.clear();
  }

  #watch(connection: OpenConnection, name: string): void {
    const room = this.#rooms.get(name);
    if (room?.placeOf(connection) === undefined) return;
    room.notices.add(connection);
    if (!room.hearsOthers && this.others !== undefined) void this.#learn(room, this.others);
  }

  async #learn(room: PresenceRoom, others: Others): Promise<void> {
    await others.learn(room);
    room.notices.ready();
  }

  #optionsOf(room: string): PresenceOptions | undefined {
    return this.#shared.rules.find(room)?.rule.presence;
  }

  #infoOf(options: PresenceOptions, connection: OpenConnection, room: string): string | undefined {
    if (options.info === undefined) return undefined;
    const match = this.#shared.rules.matchOf(room);
    const { client } = connection;
    return infoOf(options, { client, room, match, constants: this.#constants });
  }

  /** What has just been evaluated to see whether the join is refused, if nothing came between. */
  #infoToJoin(
    options: PresenceOptions,
    connection: OpenConnection,
    room: string,
  ): string | undefined {
    const evaluated = this.#evaluated;
    this.#evaluated = undefined;
    return evaluated?.connection === connection && evaluated.room === room
      ? evaluated.info
      : this.#infoOrLog(options, connection, room);
  }

  /** Where no join can be refused any more. */
  #infoOrLog(
    options: PresenceOptions,
    connection: OpenConnection,
    room: string,
  ): string | undefined {
    try {
      return this.#infoOf(options, connection, room);
    } catch (error) {
      this.#logFailure(room, error);
      return undefined;
    }
  }

  #logFailure(room: string, error: unknown): string {
    const { logger, newId } = this.#shared;
    const ref = newRef(newId);
    const reason = messageOf(error);
    logger.error("the presence of room {room} failed (ref {ref}): {reason}", { room, ref, reason });
    return ref;
  }

  /** Once, since a room that is this large stays so. */
  #warn(room: string): void {
    if (this.#hasWarned) return;
    this.#hasWarned = true;
    this.#shared.logger.warn(
      "the list of the members of room {room} is larger than a client's queue: only the number is told",
      { room },
    );
  }

  #fail(message: string): never {
    throw new ConnectorError(this.#shared.name, message, { permanent: true });
  }
}

function presenceOf({ members, options: { max } }: PresenceRoom): RoomPresence {
  const count = members.size;
  const all = count > max ? [] : [...members.values()];
  return { count, members: all.map(({ text }: Member) => JSON.parse(text)) };
}
