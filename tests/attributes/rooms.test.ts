/** Every attribute about rooms and their members does what it says. */
import { testRows } from "./row.ts";
import { roomRows } from "./rows/rooms.ts";

testRows(roomRows);
