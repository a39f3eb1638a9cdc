/** Every attribute of the `database` connector does what it says. */
import { testRows } from "./row.ts";
import { databaseRows } from "./rows/database.ts";

testRows(databaseRows);
