/** Every attribute about tokens and origins does what it says. */
import { testRows } from "./row.ts";
import { authRows } from "./rows/auth.ts";

testRows(authRows);
