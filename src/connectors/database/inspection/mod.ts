/** `weir check`: compares the statements of a configuration with the tables that its migrations make. */
import { quoted } from "../../../base/shown.ts";
import type { InspectedUse } from "../../../contract/probe.ts";
import type { Migration } from "../driver.ts";
import type { DatabaseOptions, PlayedDriver } from "../options.ts";
import type { OpenedSchema, Schema } from "../schema.ts";
import { statementsOf } from "../sql/mod.ts";
import { missingParameters } from "./parameters.ts";
import type { DatabaseRequest } from "./request.ts";
import { inspectRequests } from "./requests.ts";
import { inspectSources } from "./sources.ts";

/** The first words of statements after which a database has other tables. */
const CHANGING = new Set(["CREATE", "ALTER", "DROP", "ATTACH", "DETACH", "RENAME"]);

/** Where SQLite plays another database, `plays` says which. */
export interface InspectionOptions {
  readonly options: DatabaseOptions;
  readonly syntax: PlayedDriver["syntax"];
  readonly plays: PlayedDriver | undefined;
}

/** Reports what of a connector's migrations and of the requests for it can never work. */
export async function inspectUse(
  { options, syntax, plays }: InspectionOptions,
  use: InspectedUse,
): Promise<void> {
  // The schema of options.ts made the options of the requests.
  const requests = use.requests as readonly DatabaseRequest[];
  const schema = await schemaOf(options, plays, use);
  if (schema === undefined || requests.some((request) => changesTables(request, syntax))) {
    await schema?.close();
    for (const request of requests) {
      const { query } = request.options;
      if (query === undefined) continue;
      for (const problem of missingParameters(request, query, syntax)) request.report(problem);
    }
    return;
  }
  try {
    const own = options.changes?.dead_letter;
    // The start makes the table of dead letters.
    const asked = requests.filter(({ target, options: { query = "" } }) =>
      own === undefined || target !== own && !query.includes(own)
    );
    await inspectRequests(schema.database, asked);
    await inspectSources(schema.database, use.sources);
  } finally {
    await schema.close();
  }
}

/** The tables; undefined where the files say nothing about them, or are wrong, which is reported. */
async function schemaOf(
  { migrations: folder }: DatabaseOptions,
  plays: PlayedDriver | undefined,
  use: InspectedUse,
): Promise<Schema | undefined> {
  if (folder === undefined) return undefined;
  const migrations = await filesOf(folder, use);
  if (migrations === undefined || migrations.length === 0) return undefined;
  const { openSchema } = await import("../drivers/sqlite/schema/mod.ts");
  const opened: OpenedSchema | undefined = await openSchema(migrations, plays);
  if (opened === undefined || "database" in opened) return opened;
  const { migration, reason, part, hint } = opened;
  use.reportIn({ path: `${folder}/${migration.name}`, text: migration.sql }, {
    code: "invalid-migration",
    message: `migration ${quoted(migration.name)} ${reason}`,
    part,
    ...(hint === undefined ? {} : { hint }),
  });
  return undefined;
}

async function filesOf(
  folder: string,
  use: InspectedUse,
): Promise<readonly Migration[] | undefined> {
  const { readMigrations } = await import("../migration-files.ts");
  try {
    return await readMigrations(folder);
  } catch (error) {
    const { code, message } = error as Error & { readonly code?: unknown };
    const reason = code === "ENOENT" ? "there is no such folder" : message;
    use.report({
      code: "invalid-migration",
      attribute: "migrations",
      message: `cannot read its migrations: ${reason}`,
    });
    return undefined;
  }
}

/** Whether the tables are not those of the migrations any more when a flow has run. */
function changesTables(
  { options: { query } }: DatabaseRequest,
  syntax: PlayedDriver["syntax"],
): boolean {
  if (query === undefined) return false;
  return [...statementsOf(query, syntax)].some(({ first = "" }) => CHANGING.has(first));
}
