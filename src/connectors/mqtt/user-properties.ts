/** Headers as MQTT 5 carries them: user properties, which are texts, one or several for a name. */
import { shown } from "../../base/shown.ts";
import { isLongerThan } from "../../base/text.ts";
import { UnsendableError } from "../../messaging/mod.ts";
import { LONGEST_TOPIC } from "./filters.ts";

/** Texts by their names; a list is the name several times. */
export type UserProperties = Readonly<Record<string, string | string[]>>;

/**
 * The user properties of headers; undefined where there are none. What is no text is JSON.
 *
 * @throws {UnsendableError} The protocol cannot carry one.
 */
export function userPropertiesOf(
  headers: Readonly<Record<string, unknown>>,
): UserProperties | undefined {
  let properties: Record<string, string | string[]> | undefined;
  for (const [name, value] of Object.entries(headers)) {
    // A field that is missing is null in expressions.
    if (value === undefined || value === null) continue;
    const text = (item: unknown): string =>
      usable(name, typeof item === "string" ? item : JSON.stringify(item) ?? "null");
    // A name such as __proto__ is one as well.
    properties ??= Object.create(null) as Record<string, string | string[]>;
    properties[usable(name, name)] = Array.isArray(value) ? value.map(text) : text(value);
  }
  return properties;
}

function usable(name: string, text: string): string {
  if (isLongerThan(text, LONGEST_TOPIC)) {
    throw new UnsendableError(`the header ${shown(name)} has more than ${LONGEST_TOPIC} bytes`);
  }
  if (!text.includes("\0")) return text;
  throw new UnsendableError(`the header ${shown(name)} has a NUL character`);
}
