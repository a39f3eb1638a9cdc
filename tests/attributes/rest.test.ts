/** Every attribute of the `rest` connector does what it says. */
import { testRows } from "./row.ts";
import { restRows } from "./rows/rest.ts";

testRows(restRows);
