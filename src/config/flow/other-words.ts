/** What others call the attributes of `from`, `to` and `step` blocks. */
import type { Attribute, Body } from "../../hcl/tree.ts";

const OPERATIONS = "event on topic channel queue routing_key path route subject".split(" ");
const FILTERS = ["when", "if", "where", "condition"];

/** What others call the attributes of a `from` block, and what to write. */
export function otherWordsOfFrom({ attributes }: Body): ReadonlyMap<string, string> {
  return new Map(attributes.flatMap((attribute): [string, string][] => {
    const { name } = attribute;
    const meant = OPERATIONS.includes(name)
      ? "operation"
      : FILTERS.includes(name)
      ? "filter"
      : undefined;
    if (meant === undefined) return [];
    const isSchedule = name === "when" && /^[@*\d]/.test(String(attribute.value));
    const value = shownValue(attribute);
    return [[
      name,
      isSchedule ? `write when = ${value} in the place of from` : `write ${meant} = ${value}`,
    ]];
  }));
}

const TARGETS = [
  "room",
  "channel",
  "topic",
  "table",
  "queue",
  "routing_key",
  "subject",
  "to",
  "key",
];
const PAYLOAD = 'a transform block says what is sent: transform { text = "input.text" }';

/** What others call the attributes of a block with the fields of `names`, and what to write. */
export function otherWordsOfRequest(
  { attributes }: Pick<Body, "attributes">,
  names: readonly string[],
): ReadonlyMap<string, string> {
  const hasTarget = attributes.some(({ name }) => name === "target");
  return new Map(attributes.flatMap((attribute): [string, string][] => {
    const { name } = attribute;
    if (names.includes(name)) return [];
    if (TARGETS.includes(name) && !hasTarget) {
      return [[name, `write target = ${shownValue(attribute)}`]];
    }
    return ["data", "payload", "body", "message", "content", "values", "fields"].includes(name)
      ? [[name, PAYLOAD]]
      : [];
  }));
}

/** The value as it is written; a value that is computed may be a secret. */
function shownValue({ value, verbatim }: Attribute): string {
  return verbatim ? JSON.stringify(value) : "…";
}
