import { testRows } from "./row.ts";
import { rejectRows } from "./rows/flow-rejects.ts";
import { ruleRows } from "./rows/flow-rules.ts";

testRows([...ruleRows, ...rejectRows]);
