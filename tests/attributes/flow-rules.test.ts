import { testRows } from "./row.ts";
import { ruleRows } from "./rows/flow-rules.ts";

testRows(ruleRows);
