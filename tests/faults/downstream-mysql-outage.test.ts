/** The entries of "Downstream" about MariaDB that is away, or takes no connection. */
import { mariadb } from "./database-kinds.ts";
import { databaseOutages } from "./database-outages.ts";

await databaseOutages(mariadb);
