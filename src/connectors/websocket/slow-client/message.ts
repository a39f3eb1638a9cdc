/** Messages that the policy of a slow client may drop: those to rooms, users and everybody. */
import { type Expression, METER, meterOf, type Scope } from "../../../expression/mod.ts";
import { Frame } from "../../../transport/frame.ts";

/** A message to clients. Answers, errors and pongs are plain frames, and are never dropped. */
export class MessageFrame extends Frame {
  /** The key of the messages that it replaces while they wait; undefined for none. */
  readonly key: string | undefined;
  /** The room whose history it is in; undefined without one. */
  readonly keptIn: string | undefined;

  /** Has the text of another frame. */
  constructor({ text }: Frame, key?: string, keptIn?: string) {
    super(text);
    this.key = key;
    this.keptIn = keptIn;
  }
}

/** What a `key` may read. */
export interface KeyContext {
  /** The message. */
  readonly payload: unknown;
  /** The type of its frame; `message` where undefined. */
  readonly type?: string | undefined;
  /** The room that it is sent to, if any. */
  readonly room: string | undefined;
  /** The same where the room has a history. */
  readonly keptIn?: string | undefined;
  /** The variables of the flow that sends it. */
  readonly scope: Scope;
}

/**
 * The key of one message; undefined where the expression returns null. Values that differ as JSON
 * are different keys, and so are equal values of messages with different types.
 *
 * @throws {ExpressionError} The expression failed.
 */
export function keyOf(
  expression: Expression,
  { payload, type, room, scope }: KeyContext,
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
  if (value === null) return undefined;
  const key = JSON.stringify(value);
  // No JSON begins with a word and a space.
  return type === undefined ? key : `${type} ${key}`;
}
