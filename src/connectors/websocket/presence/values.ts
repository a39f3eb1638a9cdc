/** What is told of a member: `info` by the configuration, `data` by its client. No I/O. */
import { isLongerThan } from "../../../base/text.ts";
import { quoted } from "../../../base/shown.ts";
import type { Client } from "../../../contract/connector.ts";
import { METER, Meter } from "../../../expression/mod.ts";
import type { Refusal } from "../protocol.ts";
import type { Match } from "../rooms/pattern.ts";
import type { PresenceOptions } from "./fields.ts";

/** The largest size of an info and of data, in bytes of JSON. */
export const MOST_BYTES = 1024;

/** What an `info` sees. */
export interface InfoScope {
  readonly client: Client;
  readonly room: string;
  readonly match: Match;
  readonly constants: Readonly<Record<string, unknown>>;
}

/**
 * The info as JSON; undefined where there is none.
 *
 * @throws {ExpressionError | RangeError} It fails, or is too large.
 */
export function infoOf({ info }: PresenceOptions, scope: InfoScope): string | undefined {
  if (info === undefined) return undefined;
  const text = JSON.stringify(info.evaluate({ ...scope, [METER]: new Meter() })) ?? "null";
  if (isLongerThan(text, MOST_BYTES)) throw new RangeError("info is larger than 1 KB of JSON");
  return text;
}

/** The data of a client as JSON, or why it is refused. */
export function dataOf(
  { data: type }: PresenceOptions,
  room: string,
  data: unknown,
): { readonly text: string } | Refusal {
  const shown = quoted(room);
  if (type === undefined) {
    return invalid(`room ${shown} takes no presence data`);
  }
  if (isLongerThan(JSON.stringify(data), MOST_BYTES)) {
    return invalid("presence data is larger than 1 KB of JSON");
  }
  const checked = type.check(data);
  if ("violations" in checked) {
    const { violations: details } = checked;
    const message = `the presence data is not a valid ${type.name}`;
    return { code: "validation_failed", message, details };
  }
  const text = JSON.stringify(checked.value);
  // Defaults of the type count, too.
  return isLongerThan(text, MOST_BYTES)
    ? invalid("presence data is larger than 1 KB of JSON")
    : { text };
}

function invalid(message: string): Refusal {
  return { code: "invalid_message", message };
}
