import { testRows } from "./row.ts";
import { stepRows } from "./rows/flow-steps.ts";

testRows(stepRows);
