/** The entries of "Downstream" about PostgreSQL that runs. */
import { databaseEntries } from "./database-faults.ts";
import { postgres } from "./database-kinds.ts";

await databaseEntries(postgres);
