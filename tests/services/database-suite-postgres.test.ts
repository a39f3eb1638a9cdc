/** The cases that all databases share, with PostgreSQL. */
import { withPostgres } from "../support/postgres.ts";
import { topics } from "./database-cases/mod.ts";
import { suite } from "./database-cases/subject.ts";

await suite(
  "postgres",
  topics,
  (use) => withPostgres(({ url }) => use('  url = env("URL")', { URL: url })),
  "postgres",
);
