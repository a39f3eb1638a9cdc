/** The health of a service, from that of its workers. */
import type { Supervisor } from "./supervisor.ts";

/** What cannot serve in any of the workers, each with the reason. */
export function healthOfAll(
  { statuses }: Pick<Supervisor, "statuses">,
): Readonly<Record<string, string>> {
  return Object.assign({}, ...statuses.map(({ health }) => health));
}
