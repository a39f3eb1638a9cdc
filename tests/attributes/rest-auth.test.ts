/** Every attribute about the tokens, pages, rates and proxies of requests does what it says. */
import { testRows } from "./row.ts";
import { restAuthRows } from "./rows/rest-auth.ts";

testRows(restAuthRows);
