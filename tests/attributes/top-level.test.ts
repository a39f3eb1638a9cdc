import { testRows } from "./row.ts";
import { topLevelRows } from "./rows/top-level.ts";

testRows(topLevelRows);
