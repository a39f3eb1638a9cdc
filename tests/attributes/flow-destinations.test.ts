import { testRows } from "./row.ts";
import { destinationRows } from "./rows/flow-destinations.ts";

testRows(destinationRows);
