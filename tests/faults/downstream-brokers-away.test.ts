/** The entries of "Downstream" about Redis, NATS, MQTT and APIs that are away, or take no connection. */
import { httpEntries } from "./messaging/http.ts";
import { kinds } from "./messaging/kinds.ts";
import { messagingOutages } from "./messaging/outages.ts";
import { mqttStarts, natsStarts, redisStarts } from "./messaging/start-tables.ts";
import { startEntries } from "./messaging/starts.ts";

for (const starts of [redisStarts, natsStarts, mqttStarts]) await startEntries(starts);
await messagingOutages(kinds);
httpEntries();
