/**
 * Writes the tables of docs/from-mycel.md from the words that `weir check` knows, and from the schemas.
 * With `--check` it writes nothing and fails if the page is stale.
 */
import * as builtIn from "../src/connectors/mod.ts";
import { OPTIONS } from "../src/config/type-options.ts";
import { serviceFields } from "../src/config/service.ts";
import type { Fields } from "../src/contract/fields.ts";
import { MYCEL_WORDS, type Word } from "../src/mycel/mod.ts";
import { fieldsOfFlow } from "../tests/support/loading.ts";
import { formatted, keepFile } from "./formatted.ts";

const PAGE = new URL("./from-mycel.md", import.meta.url);
const MARK = /^<!-- mycel (.+) -->\n[^]*?^<!-- \/mycel -->$/gm;

/** The words that are the same in both languages, by place. */
const SAME: Readonly<Record<string, readonly string[]>> = {
  service: ["name", "version", "admin_port"],
  "connector types": ["database", "http", "mq", "mqtt", "rest", "websocket"],
  "connector rest": ["port"],
  "connector http": ["base_url", "timeout", "retry", "auth", "tls"],
  "connector http, retry": ["attempts", "delay", "backoff"],
  "connector database": [
    ...["driver", "url", "host", "port", "database", "user", "password", "pool"],
  ],
  "connector database, pool": ["max"],
  "connector mq": [
    ...["driver", "url", "host", "port", "username", "password", "vhost", "tls"],
    ...["exchange", "queue", "consumer", "publisher"],
  ],
  "connector mq, exchange": ["name", "type", "durable"],
  "connector mq, queue": ["name", "durable", "exclusive", "auto_delete"],
  "connector mq, consumer": ["queue", "prefetch", "dlq"],
  "connector mq, consumer, dlq": ["exchange", "queue", "max_retries", "retry_delay"],
  "connector mq, publisher": ["exchange", "persistent", "confirms", "mandatory"],
  "connector mqtt": ["client_id", "username", "password", "qos", "keep_alive", "tls"],
  "connector websocket": ["port", "host", "path", "ping_interval", "pong_timeout"],
  "connector, tls": ["cert", "key"],
  flow: [
    ...["from", "when", "accept", "validate", "step", "transform", "dedupe", "to", "response"],
    "error_handling",
  ],
  "flow, from": ["connector", "operation", "filter"],
  "flow, from, filter": ["condition", "on_reject", "max_requeue"],
  "flow, accept": ["when", "on_reject"],
  "flow, validate": ["input", "output"],
  "flow, step": [
    ...["connector", "operation", "target", "query", "params", "body", "headers", "when"],
    ...["timeout", "on_error", "default"],
  ],
  "flow, to": [
    ...["connector", "operation", "target", "query", "filter", "when", "parallel", "transform"],
  ],
  "flow, dedupe": ["key", "ttl"],
  "flow, error_handling": ["retry", "fallback", "error_response"],
  "flow, error_handling, retry": ["attempts", "delay", "max_delay", "backoff"],
  "flow, error_handling, fallback": ["connector", "target", "include_error", "transform"],
  "flow, error_handling, error_response": ["status", "body"],
  "type, field": [
    ...["required", "format", "pattern", "enum", "min", "max", "min_length", "max_length"],
  ],
};

/** What Mycel uses where the same attribute is not written. */
const DEFAULTS: ReadonlyArray<readonly [place: string, name: string, mycel: string]> = [
  ["service", "admin_port", "9090"],
  ["connector rest", "port", "3000"],
  ["connector http", "timeout", '"30s"'],
  ["connector http, retry", "attempts", "1"],
  ["connector http, retry", "delay", '"100ms"'],
  ["connector mq, exchange", "type", '"direct"'],
  ["connector mq, consumer, dlq", "retry_delay", "none"],
  ["connector mq, publisher", "confirms", "false"],
  ["connector mqtt", "qos", "0"],
  ["connector mqtt", "keep_alive", '"30s"'],
  ["flow, accept", "on_reject", '"ack"'],
  ["flow, to", "parallel", "true"],
];

/** The fields of Weir at a place. */
export function fieldsAt(place: string): Fields {
  const [first, ...rest] = place.split(", ");
  const types = Object.values(builtIn);
  if (place === "flow, to") {
    return Object.assign({}, ...types.map((type) => type.destination?.fields), inner("to"));
  }
  if (place === "flow, step") {
    const own = types.map(({ step, destination }) => step?.fields ?? destination?.fields);
    return Object.assign({}, ...own, inner("step"));
  }
  if (place === "type, field") return Object.assign({}, ...Object.values(OPTIONS));
  if (place === "connector types") return builtIn as unknown as Fields;
  if (first === "connector") return below(Object.assign({}, ...types.map((t) => t.fields)), rest);
  if (first === "service") return serviceFields;
  if (first === "flow") return below(fieldsOfFlow(), rest);
  const type = builtIn[first.replace("connector ", "") as keyof typeof builtIn];
  return below(type.fields, rest);
}

function inner(block: string): Fields {
  return fieldsOfFlow()[block].fields ?? {};
}

function below(fields: Fields, names: readonly string[]): Fields {
  return names.reduce((found, name) => found[name]?.fields ?? {}, fields);
}

/** The text for a place: the words that are the same, and a table of the others. */
function section(place: string): string {
  const same = SAME[place] ?? [];
  for (const name of same) {
    if (!Object.hasOwn(fieldsAt(place), name)) throw new Error(`${place} has no ${name} in Weir`);
  }
  const list = `The same in both: ${same.map((name) => `\`${name}\``).join(", ")}.`;
  const words = Object.hasOwn(MYCEL_WORDS, place) ? MYCEL_WORDS[place] : undefined;
  return [...(same.length === 0 ? [] : [list]), ...(words === undefined ? [] : [table(words)])]
    .join("\n\n");
}

function table(words: Readonly<Record<string, Word>>): string {
  const grouped = Map.groupBy(Object.entries(words), ([, word]) => word);
  const rows = [...grouped].map(([{ write, note = "" }, entries]) => {
    const names = entries.map(([name]) => code(name)).join(", ");
    return `| ${names} | ${write === undefined ? "" : code(write)} | ${sentence(note)} |`;
  });
  return ["| in Mycel | in Weir | |", "| --- | --- | --- |", ...rows].join("\n");
}

function defaults(): string {
  const rows = DEFAULTS.map(([place, name, mycel]) => {
    const { default: weir, required } = fieldsAt(place)[name];
    const own = weir === undefined ? required ? "required" : "none" : code(weir);
    const other = mycel === "none" ? mycel : code(mycel);
    if (other === own) throw new Error(`${name} of ${place} has the same default in both`);
    return `| \`${name}\` of \`${place}\` | ${other} | ${own} |`;
  });
  return ["| attribute | in Mycel | in Weir |", "| --- | --- | --- |", ...rows].join("\n");
}

function code(text: string): string {
  return `\`${text.replaceAll("|", "\\|")}\``;
}

function sentence(text: string): string {
  if (text === "") return "";
  const parts = text.replaceAll("|", "\\|");
  return `${parts.charAt(0).toUpperCase()}${parts.slice(1)}.`;
}

if (import.meta.main) {
  const page = await Deno.readTextFile(PAGE);
  const shown = new Set([...page.matchAll(MARK)].map(([, place]) => place));
  const missing = [...Object.keys(SAME), ...Object.keys(MYCEL_WORDS)]
    .filter((place) => !shown.has(place));
  if (missing.length > 0) throw new Error(`docs/from-mycel.md has no place for ${missing[0]}`);
  const filled = page.replaceAll(MARK, (_place, place: string) => {
    const text = place === "defaults" ? defaults() : section(place);
    return `<!-- mycel ${place} -->\n\n${text}\n\n<!-- /mycel -->`;
  });
  await keepFile(PAGE, await formatted(filled, "md"), "docs/from-mycel.md");
}
