/** The entries of "Downstream" about PostgreSQL that is away, or takes no connection. */
import { postgres } from "./database-kinds.ts";
import { databaseOutages } from "./database-outages.ts";

await databaseOutages(postgres);
