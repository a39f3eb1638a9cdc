/** The entries of "Downstream" about messages of Redis, NATS and MQTT that fail, come twice, or are refused. */
import { kinds } from "./messaging/kinds.ts";
import { messagingMessages } from "./messaging/messages.ts";

await messagingMessages(kinds);
