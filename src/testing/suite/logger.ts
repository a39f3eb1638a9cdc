/** Nobody reads what is logged in a contract suite. */
import type { Logger } from "../../contract/connector.ts";

/** Keeps nothing. */
export const silent: Logger = {
  trace: nothing,
  debug: nothing,
  info: nothing,
  warn: nothing,
  error: nothing,
};

function nothing(): void {}
