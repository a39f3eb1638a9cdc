/**
 * Writes docs/configuration.md from the schemas, so that the reference says what the program does.
 * With `--check` it writes nothing and fails where the file is stale.
 */
import type { ConnectorType } from "../src/contract/definition.ts";
import { serviceFields } from "../src/config/service.ts";
import { OPTIONS } from "../src/config/type-options.ts";
import { drivers as databases } from "../src/connectors/database/drivers/mod.ts";
import * as builtInConnectors from "../src/connectors/mod.ts";
import { drivers as brokers } from "../src/connectors/mq/drivers/mod.ts";
import type { Field, Fields } from "../src/contract/fields.ts";
import { formatted, keepFile } from "./formatted.ts";
import { fieldsOfFlow, fieldsOfTest } from "../tests/support/loading.ts";

const INTRODUCTION = `# Configuration reference

Generated from the source by \`deno task docs\`. [flows.md](flows.md) explains how the parts of a flow
work together, [databases.md](databases.md) explains the operations of a database, and
[examples/chat/chat.hcl](../examples/chat/chat.hcl) explains a configuration line by line.

A configuration is one file, or a folder: all \`*.hcl\` and \`*.mycel\` files in it and in the folders
below. [From Mycel](from-mycel.md) compares Weir with Mycel. A configuration has these
blocks:

| block | purpose |
| --- | --- |
| \`service { … }\` | name, version and shutdown: [operations.md](operations.md) |
| \`connector "NAME" { … }\` | something that Weir talks to, such as a database; its \`type\` selects what |
| \`flow "NAME" { … }\` | takes events from one connector and delivers them to others |
| \`type "NAME" { field = string({ … }) }\` | the shape of data: [types.md](types.md) |
| \`transform "NAME" { field = "expression" }\` | a transform that flows share with \`use\` |
| \`constants { name = value }\` | values for all expressions, as \`constants.name\` |
| \`test "NAME" { … }\` | a test that \`weir test\` runs: [testing.md](testing.md) |

Durations are written \`"500ms"\`, \`"30s"\`, \`"1h30m"\`, \`"2d"\`; sizes \`"64KB"\`, \`"1MB"\`, or a number
of bytes. An *expression* is [CEL](expressions.md) in quotes, evaluated for each event and compiled when the
file is read. A *name or expression* is an expression if it mentions a variable (\`"input.room"\`) or starts
with a quote; otherwise it is a literal name. Paths are relative to the file that contains them.`;

/** The whole reference. */
function reference(): string {
  return `${
    [
      INTRODUCTION,
      section("service", 2, "At most once.", serviceFields),
      section("flow", 2, "Its parts run in this order.", fieldsOfFlow()),
      typeOptions(),
      ...Object.entries(builtInConnectors).map(([name, type]) => connector(name, type)),
      section("test", 2, "Its steps run in the order written.", fieldsOfTest()),
    ].join("\n\n")
  }\n`;
}

function typeOptions(): string {
  const rows = Object.entries(OPTIONS).map(([kind, options]) =>
    `| \`${kind}\` | ${
      Object.entries(options).map(([name, { description }]) => `\`${name}\` (${description})`)
        .join(", ")
    } |`
  );
  return [
    "## type",
    "Each field is a kind, or the name of another type, with options in brackets. `additional = true` " +
    "accepts fields that the type does not name. `one_of = [circle, square]` makes the whole type a " +
    'union, by its field `kind` or by another one: `by = "event"`. [types.md](types.md) explains them.',
    ["| kind | options |", "| --- | --- |", ...rows].join("\n"),
  ].join("\n\n");
}

/** What the drivers of a connector take, each by its name. */
type Drivers = Readonly<Record<string, { readonly attributes: readonly string[] }>>;

const driversOf: Readonly<Record<string, Drivers>> = { database: databases, mq: brokers };

/** The drivers that take an attribute, where others do not. */
function takers(path: string, drivers: Drivers = {}): string {
  const all = Object.keys(drivers);
  const found = all.filter((name) => drivers[name].attributes.includes(path));
  if (found.length === 0 || found.length === all.length) return "";
  return `${found.map((name) => `\`${name}\``).join(", ")}: `;
}

function connector(name: string, { fields, destination, step }: ConnectorType): string {
  const own = step?.fields === destination?.fields ? undefined : step?.fields;
  const operations = destination?.operations ?? [];
  const known = operations.length === 0
    ? []
    : [`Operations: ${operations.map((operation) => `\`${operation}\``).join(", ")}.`];
  return [
    section(`connector "${name}"`, 2, "", fields, driversOf[name]),
    ...known,
    ...added(
      `to "${name}"`,
      "Attributes that it adds to a `to` block, and to a `fallback`.",
      destination?.fields,
    ),
    ...added(`step "${name}"`, "Attributes that it adds to a `step` block.", own),
  ].join("\n\n");
}

function added(title: string, text: string, fields: Fields = {}): string[] {
  return Object.keys(fields).length === 0 ? [] : [section(title, 3, text, fields)];
}

/** A heading, a table of the attributes, and a section for each block inside. */
function section(
  title: string,
  level: number,
  text: string,
  fields: Fields,
  drivers?: Drivers,
  place = "",
): string {
  const rows = Object.entries(fields).map(([name, field]) =>
    `| \`${name}\` | ${cell(field)} | ${field.required ? "required" : initial(field)} | ${
      takers(place + name, drivers)
    }${field.about} |`
  );
  const table = ["| name | value | default | meaning |", "| --- | --- | --- | --- |", ...rows];
  const inner = Object.entries(fields).flatMap(([name, field]) =>
    field.fields === undefined ? [] : [
      section(`${title}, ${name}`, 3, field.about, field.fields, drivers, `${place}${name}.`),
    ]
  );
  return [
    `${"#".repeat(level)} ${title}`,
    ...(text === "" ? [] : [text]),
    table.join("\n"),
    ...inner,
  ]
    .join("\n\n");
}

function cell({ kind, type }: Field<unknown>): string {
  if (kind === "either") return `${type} or block`;
  return kind === "block" ? `block${type === "expressions" ? " of expressions" : ""}` : type;
}

function initial(field: Field<unknown>): string {
  return field.default === undefined ? "" : `\`${field.default}\``;
}

if (import.meta.main) {
  const file = new URL("./configuration.md", import.meta.url);
  await keepFile(file, await formatted(reference(), "md"), "docs/configuration.md");
}
