import { testRows } from "./row.ts";
import { expectRows } from "./rows/testing-expect.ts";

testRows(expectRows);
