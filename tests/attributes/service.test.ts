import { testRows } from "./row.ts";
import { serviceRows } from "./rows/service.ts";

testRows(serviceRows);
