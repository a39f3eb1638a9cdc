/** The drivers, by the name that `driver` selects. Each has a folder, and an entry here. */
import type { Driver } from "../driver.ts";

/** What every database on a server takes. */
const SERVER: readonly string[] = [
  ...["url", "host", "port", "database", "user", "password", "tls", "pool", "statement_timeout"],
];

/** Every driver. Its module is loaded when a connector uses it. */
export const drivers: Readonly<Record<string, Driver>> = {
  sqlite: {
    title: "SQLite",
    syntax: "sqlite",
    attributes: ["database"],
    unshared: ({ database }) =>
      database === ":memory:"
        ? "each of them would have a database of its own in memory; give it a file"
        : undefined,
    load: () => import("./sqlite/mod.ts"),
  },
  postgres: {
    title: "PostgreSQL",
    syntax: "postgres",
    attributes: [...SERVER, "changes"],
    schemes: ["postgres", "postgresql"],
    load: () => import("./postgres/mod.ts"),
    loadChanges: () => import("./postgres/changes/mod.ts"),
  },
  mysql: {
    title: "MySQL",
    syntax: "mysql",
    attributes: SERVER,
    schemes: ["mysql", "mariadb"],
    load: () => import("./mysql/mod.ts"),
  },
};
