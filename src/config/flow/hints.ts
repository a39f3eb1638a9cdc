/** What people look for in a flow that has another name or place, and where it is. */
import type { ReadContext } from "../../contract/fields.ts";
import type { Origin } from "./source.ts";

const ORDER = "leave it out: each flow runs when its source has an event";
const CONDITION = 'a to, step or reject block has when = "…"; filter in from decides for the flow';
const LOOP = 'a to block has each = "input.items", with item and index';

/** The blocks and attributes of a flow by the names that others have for them. */
export const ELSEWHERE: ReadonlyMap<string, string> = new Map([
  [
    "rate_limit",
    "a connector has it, for each of its clients; for one flow, use dedupe with a short ttl",
  ],
  ["depends_on", ORDER],
  ["if", CONDITION],
  ["unless", CONDITION],
  ["filter", 'it is an attribute of from: from { … filter = "…" }'],
  ["condition", CONDITION],
  ["for_each", LOOP],
  ["each", LOOP],
  ["count", LOOP],
  ["connector", "from and to have it: from { connector = … } and to { connector = … }"],
  ["operation", "from and to have it, beside connector"],
  ["name", 'the name is the label: flow "name" { … }'],
  ["description", "write a comment: # …"],
  ["enabled", "leave the flow out, or write # in front of its lines"],
  ["schedule", 'write when = "@every 5s", or a cron pattern'],
  ["cron", 'write when = "0 * * * *"'],
  ["retry", "error_handling has it: error_handling { retry { … } }"],
  ["fallback", "error_handling has it: error_handling { fallback { … } }"],
  ["on_error", "a step has it; for the whole flow there is error_handling { … }"],
  ["steps", 'each is a block: step "NAME" { … }'],
]);

/** What to do about variables that do not exist, as far as it depends on the source. */
export function hintsOf(source: Origin["source"]): ReadContext["hints"] {
  const hints = { transform: 'only the "use" of a transform block names a transform' };
  if (source === "schedule") {
    return { ...hints, client: "no client starts this flow: it runs on a schedule" };
  }
  if (source === undefined) return hints;
  const { name, type, definition } = source;
  const client = `connector "${name}" (${type}) starts this flow, not a client; ` +
    "its event is input";
  if (definition.source?.matchNames === undefined) return { ...hints, client };
  return {
    ...hints,
    client,
    match: `it needs a pattern with a name, such as {id}, in connector "${name}", ` +
      "and events that can match it",
  };
}
