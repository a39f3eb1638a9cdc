/** What the log says of workers that take long to start. */
import { Waiting } from "../base/waiting.ts";
import type { Logger } from "../contract/connector.ts";

/**
 * When a start says which workers it waits for, in milliseconds. Later than a worker says itself what
 * it waits for: this is for one that cannot.
 */
const TIMES = { after: 10_000, every: 10_000 };

/** Says which workers a start waits for. */
export function watchWorkers(logger: Logger): Waiting<number> {
  return new Waiting(TIMES, (pending) => {
    for (const worker of pending) logger.info("the start waits for worker {worker}", { worker });
  });
}
