/** The cases that every broker must pass, by topic. */
import { ends } from "./ends.ts";
import { messages } from "./messages.ts";
import { routing } from "./routing.ts";
import { settlement } from "./settlement.ts";
import type { Topic } from "./place.ts";

/** The cases of a topic run at the same time, each with names of its own. */
export const topics: Readonly<Record<string, Topic>> = { routing, messages, settlement, ends };
