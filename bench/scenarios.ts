/** All scenarios, in the order of the report. */
import type { Scenario } from "./scenario.ts";
import { scenarios as answers } from "./scenarios/answers.ts";
import { scenarios as brokerAcks } from "./scenarios/broker-acks.ts";
import { scenarios as brokerFanout } from "./scenarios/broker-fanout.ts";
import { scenario as connect } from "./scenarios/connect.ts";
import { scenario as changes } from "./scenarios/changes.ts";
import { scenarios as databases } from "./scenarios/databases.ts";
import { scenarios as fanout } from "./scenarios/fanout.ts";
import { scenarios as fanoutSizes } from "./scenarios/fanout-sizes.ts";
import { scenario as flow } from "./scenarios/flow.ts";
import { scenarios as growth } from "./scenarios/growth.ts";
import { scenarios as history } from "./scenarios/history.ts";
import { scenarios as resume } from "./scenarios/resume.ts";
import { scenario as idle } from "./scenarios/idle.ts";
import { scenarios as instances } from "./scenarios/instances.ts";
import { scenarios as manyRooms } from "./scenarios/many-rooms.ts";
import { scenario as presence } from "./scenarios/presence.ts";
import { scenarios as requests } from "./scenarios/requests.ts";
import { scenario as rooms } from "./scenarios/rooms.ts";
import { scenario as sqlite } from "./scenarios/sqlite.ts";
import { scenarios as sqliteAtomic } from "./scenarios/sqlite-atomic.ts";
import { scenario as start } from "./scenarios/start.ts";
import { scenario as streams } from "./scenarios/streams.ts";
import { scenarios as metrics } from "./scenarios/metrics.ts";
import { scenarios as traces } from "./scenarios/traces.ts";
import { scenario as workers } from "./scenarios/workers.ts";
import { scenario as workersRoom } from "./scenarios/workers-room.ts";

/** All scenarios. */
export const scenarios: readonly Scenario[] = [
  ...fanout,
  ...fanoutSizes,
  streams,
  rooms,
  ...manyRooms,
  presence,
  ...requests,
  sqlite,
  ...sqliteAtomic,
  ...databases,
  changes,
  ...brokerFanout,
  ...brokerAcks,
  ...answers,
  idle,
  connect,
  start,
  workers,
  workersRoom,
  ...instances,
  ...history,
  ...resume,
  ...growth,
  ...metrics,
  ...traces,
  flow,
];
