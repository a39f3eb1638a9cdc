/** The platform of a client whose time runs faster, and which is lucky with its waits. */
import { type Platform, platform } from "../../src/client/platform.ts";

/**
 * All that the client waits for comes `speed` times as early; its clock agrees with that. Its waits
 * between attempts are short ones: a test cuts more often than networks do.
 */
export function fastPlatform(speed = 1): Platform {
  const began = Date.now();
  return {
    ...platform,
    after: (milliseconds, task) => platform.after(milliseconds / speed, task),
    now: () => began + (Date.now() - began) * speed,
    random: () => Math.random() / 10,
  };
}
