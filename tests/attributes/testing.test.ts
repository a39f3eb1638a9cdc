import { testRows } from "./row.ts";
import { givenRows, mockRows } from "./rows/testing.ts";

testRows(givenRows);
testRows(mockRows);
