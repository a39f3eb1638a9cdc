/** Every attribute about presence does what it says. */
import { testRows } from "./row.ts";
import { presenceRows, presenceTestRows } from "./rows/presence.ts";

testRows(presenceRows);
testRows(presenceTestRows);
