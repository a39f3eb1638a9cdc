/** The message brokers in the tests of faults that have a server for themselves. */
import type { Kind } from "./kind.ts";
import { session } from "./mqtt.ts";
import { jetStream, subjects } from "./nats.ts";
import { channels, streams } from "./redis.ts";

export const kinds: readonly Kind[] = [channels, streams, subjects, jetStream, session];
