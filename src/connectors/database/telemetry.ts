/** What traces say of a `database` connector: the semantic conventions of databases. */
import { serverAttributes, type SpanAttributes, type Telemetry } from "../../contract/telemetry.ts";
import { drivers } from "./drivers/mod.ts";
import { SYNTAXES } from "./sql/syntaxes.ts";
import { tokensOf } from "./sql/token.ts";
import type { DatabaseDestination, DatabaseOptions } from "./options.ts";

/** The spans of statements, and of flows that changes of tables start. */
export const telemetry: Telemetry<DatabaseOptions, DatabaseDestination> = {
  event: (operation, options, connector) => ({
    name: `process ${operation ?? connector}`,
    kind: "consumer",
    attributes: databaseOf(options),
  }),
  request({ operation, target, options: { query } }, options, connector) {
    const word = query === undefined ? operation ?? "INSERT" : wordOf(query, options.driver);
    return {
      name: `${word} ${target ?? connector}`,
      kind: "client",
      attributes: {
        ...databaseOf(options),
        "db.operation.name": word,
        // Its values are parameters, so the text has none of an event.
        ...(query !== undefined && { "db.query.text": query }),
      },
      attributesOf: (table) => ({ "db.collection.name": table }),
    };
  },
};

/** The first word of a statement. */
function wordOf(query: string, driver: string): string {
  const { reader } = SYNTAXES[drivers[driver].syntax];
  for (const { kind, start, end } of tokensOf(query, reader())) {
    if (kind === "word") return query.slice(start, end).toUpperCase();
  }
  return "QUERY";
}

function databaseOf(options: DatabaseOptions): SpanAttributes {
  const { driver, url, host, port, database } = options;
  if (driver === "sqlite") return { "db.system.name": "sqlite" };
  const usual = driver === "postgres" ? 5432 : 3306;
  const name = url === undefined ? database : URL.parse(url)?.pathname.slice(1);
  const server = url === undefined
    ? { "server.address": host ?? "localhost", "server.port": port ?? usual }
    : serverAttributes(url, usual);
  const isMariaDb = url?.startsWith("mariadb:");
  return {
    "db.system.name": driver === "postgres" ? "postgresql" : isMariaDb ? "mariadb" : driver,
    ...(name && { "db.namespace": name }),
    ...server,
  };
}
