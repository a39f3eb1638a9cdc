import { testRows } from "./row.ts";
import { sourceRows } from "./rows/flow-source.ts";

testRows(sourceRows);
