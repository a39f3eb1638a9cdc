/** Every attribute that the `mq` connector has for all brokers does what it says. */
import { testRows } from "./row.ts";
import { mqRows } from "./rows/mq.ts";

testRows(mqRows);
