/**
 * Writes docs/configuration.md from the schemas, so that the reference says what the program does.
 * With `--check` it writes nothing and fails where the file is stale.
 */
import { flowFields, fromFields, toFields } from "../src/config/flow.ts";
import type { ConnectorType } from "../src/connector.ts";
import { builtInConnectors } from "../src/connectors/mod.ts";
import type { Field, Fields } from "../src/schema.ts";

const INTRODUCTION = `# Configuration reference

Generated from the schemas by \`deno task docs\`. How the parts work together is in the README and,
example by example, in [examples/chat/chat.hcl](../examples/chat/chat.hcl).

A configuration is one file or a folder of \`*.hcl\` files. At the top level stand these blocks:

| block | for |
| --- | --- |
| \`connector "NAME" { … }\` | something that Weir can talk to; its \`type\` says what |
| \`flow "NAME" { … }\` | from one connector to others |
| \`constants { … }\` | values for every expression, as \`constants.name\` |

Durations are written \`"500ms"\`, \`"30s"\`, \`"1h30m"\`, \`"2d"\`; sizes \`"64KB"\`, \`"1MB"\`, or a number
of bytes. An *expression* is [CEL](expressions.md) in quotes, evaluated for each event and compiled when the
file is read. A *name or expression* is an expression where it mentions a variable (\`"input.room"\`) or starts
with a quote, else the literal name. Paths are relative to the file that they stand in.`;

/** The whole reference. */
function reference(): string {
  const flow = section("flow", 2, "From one connector to others.", {
    ...flowFields,
    from: { ...flowFields.from, fields: fromFields },
    to: toField(toFields),
  });
  const connectors = Object.entries(builtInConnectors).map(([name, type]) => connector(name, type));
  return `${[INTRODUCTION, flow, ...connectors].join("\n\n")}\n`;
}

function connector(name: string, { fields, destination }: ConnectorType): string {
  const own = section(`connector "${name}"`, 2, "", fields);
  if (destination === undefined) return own;
  const { operations } = destination;
  const known = operations === undefined || operations.length === 0
    ? ""
    : `Operations: ${operations.map((operation) => `\`${operation}\``).join(", ")}.`;
  if (Object.keys(destination.fields).length === 0) return [own, known].join("\n\n");
  return [own, section(`to "${name}"`, 3, known, destination.fields)].join("\n\n");
}

/** A heading, a table of the attributes, and a section for each block inside. */
function section(title: string, level: number, text: string, fields: Fields): string {
  const rows = Object.entries(fields).map(([name, field]) =>
    `| \`${name}\` | ${cell(field)} | ${
      field.required ? "required" : initial(field)
    } | ${field.about} |`
  );
  const table = ["| name | value | default | meaning |", "| --- | --- | --- | --- |", ...rows];
  const inner = Object.entries(fields).flatMap(([name, field]) =>
    field.fields === undefined ? [] : [section(`${title}, ${name}`, 3, field.about, field.fields)]
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
  return kind === "block" ? `block${type === "expressions" ? " of expressions" : ""}` : type;
}

function initial(field: Field<unknown>): string {
  return field.default === undefined ? "" : `\`${field.default}\``;
}

function toField(fields: Fields): Field<unknown> {
  return {
    kind: "block",
    type: "blocks",
    required: false,
    about: "A destination; several run in the order written. Its connector adds attributes.",
    fields,
    read: () => undefined,
  };
}

/** The text as `deno fmt` leaves it, so that the file is stable under it. */
async function formatted(text: string): Promise<string> {
  const command = new Deno.Command(Deno.execPath(), {
    args: ["fmt", "--ext=md", "--line-width=100", "-"],
    stdin: "piped",
    stdout: "piped",
  });
  const process = command.spawn();
  const writer = process.stdin.getWriter();
  await writer.write(new TextEncoder().encode(text));
  await writer.close();
  return new TextDecoder().decode((await process.output()).stdout);
}

if (import.meta.main) {
  const file = new URL("./configuration.md", import.meta.url);
  const text = await formatted(reference());
  if (!Deno.args.includes("--check")) {
    await Deno.writeTextFile(file, text);
  } else if (await Deno.readTextFile(file).catch(() => "") !== text) {
    console.error("docs/configuration.md is stale: run `deno task docs`");
    Deno.exit(1);
  }
}
