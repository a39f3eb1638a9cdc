/** The nodes of a broker, as the client library takes them. */
import type { ConnectionOptions } from "rabbitmq-client";
import type { Host } from "../../amqp-address.ts";

/** The options that name one host, or all of a cluster. */
export function hostsOption(
  hosts: readonly Host[],
): Pick<ConnectionOptions, "hosts" | "hostname" | "port"> {
  const [first] = hosts;
  if (hosts.length === 1) return first;
  // The library splits texts at their first colon, which an IPv6 address has inside.
  const split = hosts.map(({ hostname, port }) => ({ split: () => [hostname, String(port)] }));
  return { hosts: split as unknown as string[] };
}
