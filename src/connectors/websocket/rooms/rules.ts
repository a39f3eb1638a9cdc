/** Decides who may join which room, as the `room` blocks of a connector say. */
import { quoted } from "../../../base/shown.ts";
import { holds } from "../../../expression/condition.ts";
import type { Client, ConnectorContext, StepResults } from "../../../contract/connector.ts";
import { isOutage, newRef } from "../../../base/errors.ts";
import { METER, Meter } from "../../../expression/mod.ts";
import type { Refusal } from "../protocol.ts";
import type { RoomOptions } from "./fields.ts";

/** Why a client may not join; undefined where it may. */
export type JoinVerdict = Refusal | undefined;

/** What deciding needs of the connector. */
export type RuleContext = Pick<ConnectorContext, "constants" | "logger" | "lookUp">;

/** The rules of all rooms of one connector. */
export class RoomRules {
  /** The most specific pattern first; those that are alike in the order of the file. */
  readonly #rooms: readonly RoomOptions[];
  readonly #context: RuleContext;

  /** Where there are no rooms, every client may join any. */
  constructor(rooms: readonly RoomOptions[], context: RuleContext) {
    this.#rooms = rooms.toSorted((a, b) => a.pattern.compare(b.pattern));
    this.#context = context;
  }

  /** Whether a client may join. Waits only where a look-up does; never throws or rejects. */
  ask(client: Client, room: string): JoinVerdict | Promise<JoinVerdict> {
    if (this.#rooms.length === 0) return undefined;
    const rule = this.#rooms.find(({ pattern }) => pattern.matches(room));
    if (rule === undefined) return forbidden(room);
    const { join, steps } = rule;
    if (join === undefined) return undefined;
    const { constants, lookUp } = this.#context;
    // One budget for the whole rule: its look-ups, what they ask for, and `join`.
    const scope = { client, room, constants, [METER]: new Meter() };
    const decide = (step: StepResults): JoinVerdict =>
      holds(join, { ...scope, step }) ? undefined : forbidden(room);
    const failed = (error: unknown): JoinVerdict => this.#failed(rule, error);
    try {
      if (steps.length === 0) return decide({});
      const found = lookUp(steps, scope, { room, user_id: client.user_id });
      return found instanceof Promise ? found.then(decide).catch(failed) : decide(found);
    } catch (error) {
      return failed(error);
    }
  }

  #failed({ pattern }: RoomOptions, error: unknown): Refusal {
    const ref = newRef();
    this.#context.logger.error(
      "the rule of room {pattern} failed (ref {ref}): {reason}",
      { pattern: pattern.text, ref, reason: error instanceof Error ? error.message : error, error },
    );
    const message = `the room's rule failed (ref ${ref})`;
    return { code: "flow_failed", message, outage: isOutage(error) };
  }
}

/** The same for a room that nobody declared and for one that is not for this client. */
function forbidden(room: string): Refusal {
  return { code: "room_forbidden", message: `room ${quoted(room)} is not for this client` };
}
