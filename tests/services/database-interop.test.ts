/** What psql and mariadb write Weir reads, and what Weir writes they read, for every type. */
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { withTemporaryFolder } from "../support/certificate.ts";
import { withMariadb } from "../support/mariadb.ts";
import { withPostgres } from "../support/postgres.ts";
import { serviceTest } from "../support/services.ts";
import { mariadbTypes } from "./database-cases/interop-mariadb.ts";
import { POSTGRES_TYPES, postgresTypes } from "./database-cases/interop-postgres.ts";
import { ask, interoperate, tableOf } from "./database-cases/interop.ts";
import { Subject } from "./database-cases/subject.ts";

await serviceTest("postgres", "psql and Weir read what the other one writes", async () => {
  await withTemporaryFolder(async (folder) => {
    await writeFile(join(folder, "1.sql"), `${POSTGRES_TYPES}${tableOf(postgresTypes)}`);
    await withPostgres(async ({ url }) => {
      const attributes = `url = env("URL")\nmigrations = ${JSON.stringify(folder)}`;
      const subject = await Subject.open("postgres", attributes, { URL: url });
      const options = ["--no-psqlrc", "-v", "ON_ERROR_STOP=1", "-q", "-A", "-t"];
      const args = [...options, "-P", "null=∅", url];
      const client = (script: string) => ask("psql", args, script, { PGTZ: "Asia/Tokyo" });
      try {
        await interoperate(subject, client, postgresTypes);
      } finally {
        await subject.close();
      }
    });
  });
});

await serviceTest("mariadb", "mariadb and Weir read what the other one writes", async () => {
  await withTemporaryFolder(async (folder) => {
    const end = " CHARACTER SET utf8mb4;";
    await writeFile(join(folder, "1.sql"), tableOf(mariadbTypes).replace(/;$/, end));
    await withMariadb(async ({ name, url }) => {
      const attributes = `url = env("URL")\nmigrations = ${JSON.stringify(folder)}`;
      const subject = await Subject.open("mysql", attributes, { URL: url });
      const where = ["-h", "127.0.0.1", "-P", "3306", "-u", "root", "--skip-ssl", name];
      const options = ["--no-defaults", "--default-character-set=utf8mb4", "-N", "-B", "--raw"];
      const zone = "SET time_zone = '+09:00';\n";
      const client = (script: string) => ask("mariadb", [...options, ...where], zone + script);
      try {
        await interoperate(subject, client, mariadbTypes);
      } finally {
        await subject.close();
      }
    });
  });
});
