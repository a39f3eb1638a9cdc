/** The cases that all databases share, with MariaDB. */
import { withMariadb } from "../support/mariadb.ts";
import { topics } from "./database-cases/mod.ts";
import { suite } from "./database-cases/subject.ts";

await suite(
  "mysql",
  topics,
  (use) => withMariadb(({ url }) => use('  url = env("URL")', { URL: url })),
  "mariadb",
);
