import { testRows } from "./row.ts";
import { typeRows } from "./rows/types.ts";

testRows(typeRows);
