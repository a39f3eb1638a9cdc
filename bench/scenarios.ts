/** All scenarios, in the order of the report. */
import type { Scenario } from "./scenario.ts";
import { scenario as connect } from "./scenarios/connect.ts";
import { scenarios as fanout } from "./scenarios/fanout.ts";
import { scenarios as fanoutSizes } from "./scenarios/fanout-sizes.ts";
import { scenario as flow } from "./scenarios/flow.ts";
import { scenarios as growth } from "./scenarios/growth.ts";
import { scenario as idle } from "./scenarios/idle.ts";
import { scenarios as manyRooms } from "./scenarios/many-rooms.ts";
import { scenario as rabbitmq } from "./scenarios/rabbitmq.ts";
import { scenarios as requests } from "./scenarios/requests.ts";
import { scenario as rooms } from "./scenarios/rooms.ts";
import { scenario as sqlite } from "./scenarios/sqlite.ts";
import { scenarios as sqliteAtomic } from "./scenarios/sqlite-atomic.ts";
import { scenario as start } from "./scenarios/start.ts";
import { scenario as workers } from "./scenarios/workers.ts";

/** All scenarios. */
export const scenarios: readonly Scenario[] = [
  ...fanout,
  ...fanoutSizes,
  rooms,
  ...manyRooms,
  ...requests,
  sqlite,
  ...sqliteAtomic,
  rabbitmq,
  idle,
  connect,
  start,
  workers,
  ...growth,
  flow,
];
