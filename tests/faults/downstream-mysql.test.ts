/** The entries of "Downstream" about MariaDB that runs. */
import { databaseEntries } from "./database-faults.ts";
import { mariadb } from "./database-kinds.ts";

await databaseEntries(mariadb);
