/** Messages that a slow client's queue may leave out: what is sent to rooms, users and everybody. */
import { type Expression, METER, meterOf, type Scope } from "../../../expression/mod.ts";
import { Frame } from "../../../transport/frame.ts";

/** A message to clients. Answers, errors and pongs are plain frames, and none of them is left out. */
export class MessageFrame extends Frame {
  /** Which messages it replaces while they wait; undefined for none. */
  readonly key: string | undefined;

  /** The same text as another frame's. */
  constructor({ text }: Frame, key?: string) {
    super(text);
    this.key = key;
  }
}

/** What a `key` may look at. */
export interface KeyContext {
  /** What is sent. */
  readonly payload: unknown;
  /** The room that it is sent to, if it is sent to one. */
  readonly room: string | undefined;
  /** The variables of the flow that sends it. */
  readonly scope: Scope;
}

/**
 * The key of one message; undefined where the expression gives null. Any two values that are not the
 * same JSON are two keys.
 *
 * @throws {ExpressionError} The expression fails.
 */
export function keyOf(
  expression: Expression,
  { payload, room, scope }: KeyContext,
): string | undefined {
  const { variables } = expression;
  const value = expression.evaluate({
    constants: scope.constants,
    output: payload,
    room: room ?? null,
    // An event's input may be made when it is read.
    input: variables.has("input") ? scope.input ?? null : null,
    [METER]: meterOf(scope),
  });
  return value === null ? undefined : JSON.stringify(value);
}
