/** Every attribute of the blocks that limit a connector's clients does what it says. */
import { testRows } from "./row.ts";
import { websocketLimitRows } from "./rows/websocket-limits.ts";

testRows(websocketLimitRows);
