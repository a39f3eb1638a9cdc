/** What `weir check --connect` finds out about flows and destinations. */
import type { MqttClient } from "mqtt";
import { withTimeout } from "../../../base/timeout.ts";
import type { ProbeRequest, ProbeSource } from "../../../contract/probe.ts";
import { readFilter } from "../filters.ts";
import type { MqttDestination } from "../options.ts";
import type { MqttConnection } from "./connection.ts";
import { wordsOf } from "./failure.ts";
import { PATIENCE } from "./streams.ts";

/** Reports what the broker would refuse. The connection has a session that ends with it. */
export async function probe(
  { client }: MqttConnection,
  protocol: number,
  requests: readonly ProbeRequest[],
  sources: readonly ProbeSource[],
): Promise<void> {
  if (client === undefined) return;
  for (const request of requests) askDestination(client, request as ProbeRequest<MqttDestination>);
  for (const source of sources) await askSource(client, protocol, source);
}

function askDestination(
  { serverProperties }: MqttClient,
  { options: { qos, retain }, report }: ProbeRequest<MqttDestination>,
): void {
  const { maximumQoS = 2, retainAvailable = true } = serverProperties ?? {};
  if (qos > maximumQoS) {
    report({
      attribute: "qos",
      message: `has qos ${qos}, and the broker takes ${maximumQoS} at most`,
    });
  }
  if (retain && !retainAvailable) {
    report({ attribute: "retain", message: "has retain, and the broker retains no messages" });
  }
}

/** Without the group of a shared subscription, which would take messages from its members. */
async function askSource(
  client: MqttClient,
  protocol: number,
  { operation, report }: ProbeSource,
): Promise<void> {
  const filter = readFilter(operation).levels.join("/");
  const asked = new Promise<number | undefined>((resolve) => {
    // No retained messages, where MQTT can say so.
    const wanted = { [filter]: { qos: 0 as const, ...(protocol === 5 && { rh: 2 }) } };
    client.subscribe(wanted, (_error, _granted, packet) => resolve(packet?.granted[0] as number));
  });
  const code = await withTimeout(asked, PATIENCE, () => undefined);
  if (code === undefined || code < 0x80) return;
  const message = `has an operation to which the broker refuses to subscribe: ${wordsOf(code)}`;
  report({ attribute: "operation", message });
}
