/** Decides which clients may join which rooms, by the `room` blocks of a connector. */
import { quoted } from "../../../base/shown.ts";
import type { TraceFields } from "../../../base/trace-context.ts";
import { holds } from "../../../expression/condition.ts";
import type { Client, ConnectorContext, StepResults } from "../../../contract/connector.ts";
import { isOutage } from "../../../base/errors.ts";
import { newRef } from "../../../base/ids.ts";
import { METER, Meter } from "../../../expression/mod.ts";
import type { Refusal } from "../protocol.ts";
import type { RoomOptions } from "./fields.ts";
import type { Match } from "./pattern.ts";

/** The parts of the connector that rules use. */
export type RuleContext = Pick<
  ConnectorContext,
  "constants" | "logger" | "lookUp" | "newId" | "observe"
>;

/** The rules of the rooms of one connector. */
export class RoomRules {
  /** The most specific pattern first; equally specific ones in file order. */
  readonly #rooms: readonly RoomOptions[];
  readonly #context: RuleContext;
  /** The names of the room that was looked for last: most clients send several frames to one. */
  #last: { readonly room: string; readonly match: Match } | undefined;

  /** Without `room` blocks every client may join any room. */
  constructor(rooms: readonly RoomOptions[], context: RuleContext) {
    this.#rooms = rooms.toSorted((a, b) => a.pattern.compare(b.pattern));
    this.#context = context;
  }

  /**
   * Returns why a client may not join a room; undefined where it may. Returns a promise only where a
   * look-up does, which is a part of `trace`. Never throws or rejects.
   */
  ask(
    client: Client,
    room: string,
    trace?: TraceFields,
  ): Refusal | undefined | Promise<Refusal | undefined> {
    if (this.#rooms.length === 0) return undefined;
    const found = this.find(room);
    if (found === undefined) return forbidden(room);
    const { rule, match } = found;
    const { join, steps } = rule;
    const { constants, lookUp, observe } = this.#context;
    if (join === undefined) {
      observe?.(rule.pattern.text, true);
      return undefined;
    }
    // The look-ups and `join` share one budget.
    const scope = { client, room, match, constants, [METER]: new Meter() };
    const decide = (step: StepResults): Refusal | undefined => {
      const enters = holds(join, { ...scope, step });
      observe?.(rule.pattern.text, enters);
      return enters ? undefined : forbidden(room);
    };
    const failed = (error: unknown): Refusal => this.#failed(rule, error);
    try {
      if (steps.length === 0) return decide({});
      const results = lookUp(steps, scope, { ...match, room, user_id: client.user_id }, trace);
      return results instanceof Promise ? results.then(decide).catch(failed) : decide(results);
    } catch (error) {
      return failed(error);
    }
  }

  /**
   * Asks a rule that let a client in some time ago. A rule with look-ups is not asked again, since
   * they may have done something.
   */
  askAgain(client: Client, room: string): Refusal | undefined {
    const rule = this.#rooms.length === 0 ? undefined : this.find(room)?.rule;
    if (rule === undefined || rule.steps.length > 0) return undefined;
    return this.ask(client, room) as Refusal | undefined;
  }

  /** The values of the names in a room; none where no pattern matches it. */
  matchOf(room: string): Match {
    if (this.#last?.room !== room) {
      this.#last = { room, match: Object.freeze(this.find(room)?.match ?? {}) };
    }
    return this.#last.match;
  }

  /** The block that counts for a room; undefined where no pattern matches it. */
  of(room: string): RoomOptions | undefined {
    return this.find(room)?.rule;
  }

  /** The most specific rule for a room, and the values of its names. */
  find(room: string): { readonly rule: RoomOptions; readonly match: Match } | undefined {
    for (const rule of this.#rooms) {
      const match = rule.pattern.valuesIn(room);
      if (match !== undefined) return { rule, match };
    }
    return undefined;
  }

  #failed({ pattern }: RoomOptions, error: unknown): Refusal {
    const ref = newRef(this.#context.newId);
    this.#context.logger.error(
      "the rule of room {pattern} failed (ref {ref}): {reason}",
      { pattern: pattern.text, ref, reason: error instanceof Error ? error.message : error, error },
    );
    const message = `the room's rule failed (ref ${ref})`;
    return { code: "flow_failed", message, outage: isOutage(error) };
  }
}

/** The same for a room that no block declares and for one that its rule refuses. */
function forbidden(room: string): Refusal {
  return { code: "room_forbidden", message: `room ${quoted(room)} is not for this client` };
}
