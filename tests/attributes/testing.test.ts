import { testRows } from "./row.ts";
import { givenRows, mockRows, testItselfRows } from "./rows/testing.ts";

testRows(givenRows);
testRows(mockRows);
testRows(testItselfRows);
