/** Every attribute of the `websocket` connector does what it says. */
import { testRows } from "./row.ts";
import { websocketRows } from "./rows/websocket.ts";

testRows(websocketRows);
