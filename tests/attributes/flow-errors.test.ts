import { testRows } from "./row.ts";
import { errorRows } from "./rows/flow-errors.ts";

testRows(errorRows);
