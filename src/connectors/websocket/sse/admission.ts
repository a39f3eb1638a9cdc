/**
 * Decides about the rooms of a stream, as about the `join_room` frames of a WebSocket: the rule of
 * each room and the flows on `join_room` are asked, and its instance listens to each of them.
 */
import type { FlowError } from "../../../base/errors.ts";
import { messageOf } from "../../../base/shown.ts";
import { newRef } from "../../../base/ids.ts";
import type { FlowHandler } from "../../../contract/connector.ts";
import { accept, admit } from "../../../contract/dispatch.ts";
import { refuse } from "../../../transport/handshake.ts";
import type { HandshakeRefusal } from "../../../transport/socket.ts";
import { counted, type Decision, type PendingConnection, withSlot } from "../admission.ts";
import { SocketEvent } from "../client.ts";
import { frameRefusal, handshakeRefusal } from "../closing.ts";
import type { Counter } from "../counters.ts";
import { tooManyRooms } from "../joining.ts";
import { resumedFrom } from "../history/wish.ts";
import type { JoinWishes } from "../join-wishes.ts";
import type { Shared } from "../parts.ts";
import { type Refusal, roomProblem } from "../protocol.ts";
import type { HandshakeSlot } from "../slots.ts";
import { Listening } from "./listening.ts";
import type { StreamWishes } from "./request.ts";

/** A room that a client may join. */
export interface Join {
  readonly room: string;
  readonly wishes: JoinWishes;
  /** The flows on `join_room` that take the event. */
  readonly flows: readonly FlowHandler[];
  readonly event: SocketEvent;
}

/** The way of one client into its rooms, until its stream is open. */
export class Entry {
  readonly #shared: Shared;
  readonly #rooms: readonly string[];
  readonly #wishes: StreamWishes;
  readonly #listening: Listening;
  readonly #joins: Join[] = [];

  /** `rooms` are the names as the client has written them, each once. */
  constructor(shared: Shared, rooms: readonly string[], wishes: StreamWishes) {
    this.#shared = shared;
    this.#rooms = rooms;
    this.#wishes = wishes;
    this.#listening = new Listening(shared.interest);
  }

  /** What the client joins when its stream opens; complete once it is let in. */
  get joins(): readonly Join[] {
    return this.#joins;
  }

  /** Decides about all rooms. Waits only where a rule, a flow or the backplane does. Never rejects. */
  enter(pending: PendingConnection, slot: HandshakeSlot): Decision | Promise<Decision> {
    const malformed = this.#malformed();
    if (malformed !== undefined) return counted("refused_room", malformed);
    const { userId } = pending.state.credentials.identity;
    if (this.#rooms.length === 0 && (userId === null || this.#shared.interest === undefined)) {
      return pending;
    }
    return withSlot(slot.reserve(), () => this.#enter(pending, userId));
  }

  /** The client does not come in, or is in its rooms now: nothing is listened to for its sake. */
  release(): void {
    this.#listening.end();
  }

  async #enter(pending: PendingConnection, user: string | null): Promise<Decision> {
    const { newId, logger } = this.#shared;
    try {
      for (const room of this.#rooms) {
        const refusal = await this.#ask(pending, room);
        if (refusal !== undefined) return refusal;
      }
      const failure = await this.#listening.begin(user, this.#rooms);
      if (failure === undefined) return pending;
      const ref = newRef(newId);
      const reason = messageOf(failure);
      logger.warn("cannot listen for a stream (ref {ref}): {reason}", { ref, reason });
      return unavailable("refused_backplane", `the rooms cannot be joined now (ref ${ref})`);
    } catch (error) {
      const ref = newRef(newId);
      logger.error("failed to decide about a stream (ref {ref}): {error}", { ref, error });
      return counted("refused_room", refuse(500, `the request failed (ref ${ref})`));
    }
  }

  #malformed(): HandshakeRefusal | undefined {
    const { options: { max_rooms } } = this.#shared;
    if (this.#wishes.presence !== null && this.#wishes.presence !== "1") {
      return refuse(400, "presence must be 1", {}, "invalid_message");
    }
    for (const room of this.#rooms) {
      const problem = roomProblem(room);
      if (problem !== undefined) return refuse(400, problem, {}, "invalid_room");
    }
    if (this.#rooms.length <= max_rooms) return undefined;
    const { message, code } = tooManyRooms(this.#shared);
    return refuse(400, message, {}, code);
  }

  /** Asks the room's rule first: no flow sees a client that the rule refuses. */
  async #ask({ state }: PendingConnection, room: string): Promise<Decision | undefined> {
    const { rules, flows } = this.#shared;
    const client = state.facts;
    const refusal = await rules.ask(client, room, client.headers);
    if (refusal !== undefined) return roomRefusal(refusal);
    const event = new SocketEvent("join_room", null, client, room, undefined, undefined, rules);
    const admitted = admit(flows.of("join_room") ?? [], event);
    const error = await accept(admitted, event);
    if (error !== undefined) return flowRefusal(error);
    this.#joins.push({ room, wishes: this.#wishesFor(room), flows: admitted, event });
    return undefined;
  }

  /** An event has one id, so it can tell of one room what the client has of it. */
  #wishesFor(room: string): JoinWishes {
    const { presence, lastEventId } = this.#wishes;
    const { rules } = this.#shared;
    const kept = this.#rooms.filter((one) => rules.of(one)?.history !== undefined);
    const isResumable = kept.length === 1 && kept[0] === room;
    return {
      isStream: true,
      ...(presence !== null && { presence: {} }),
      ...(isResumable && { history: resumedFrom(lastEventId ?? "", room) ?? true }),
    };
  }
}

/** The refusal of a client by the rule of a room. */
function roomRefusal({ code, message, outage }: Refusal): Decision {
  if (code === "room_forbidden") return counted("refused_room", refuse(403, message, {}, code));
  if (outage) return unavailable("refused_room", message);
  return counted("refused_room", refuse(500, message, {}, code));
}

/** The refusal of a client by a flow on `join_room`. */
function flowRefusal(error: FlowError): Decision {
  const { status, headers } = handshakeRefusal(error);
  const { code, message } = frameRefusal(error, undefined);
  return counted("refused_room", refuse(status, message, headers, code));
}

function unavailable(counter: Counter, message: string): Decision {
  return counted(counter, refuse(503, message, { "retry-after": "1" }));
}
