/** The cases that all databases share, with SQLite. */
import { join } from "node:path";
import { withTemporaryFolder } from "../support/certificate.ts";
import { topics } from "./database-cases/mod.ts";
import { suite } from "./database-cases/subject.ts";

// A database in memory has one connection, so a read would wait for an open transaction.
suite(
  "sqlite",
  topics,
  (use) =>
    withTemporaryFolder((folder) =>
      use(`  database = ${JSON.stringify(join(folder, "suite.db"))}`, {})
    ),
);
