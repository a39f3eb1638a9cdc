/** Makes the message of a write: its topic and payload, as a broker can send them. */
import { ConnectorError } from "../../base/errors.ts";
import { quoted } from "../../base/shown.ts";
import type { WriteRequest } from "../../contract/connector.ts";
import {
  type MessageOptions,
  type Publication,
  toPublication,
  untraced,
} from "../../messaging/mod.ts";
import { LONGEST_TOPIC, topicProblem } from "./filters.ts";
import type { MqttDestination, MqttOptions, Qos } from "./options.ts";

/** A message to be published. */
export interface MqttPublication extends Publication {
  readonly qos: Qos;
  readonly retain: boolean;
}

/** The attributes of a `to` block, or what the caller of `runtime.publish` passed. */
export type MqttWriteOptions = MessageOptions & Partial<Omit<MqttDestination, "headers">>;

/**
 * Makes a message of a write request.
 *
 * @throws {ConnectorError} The topic cannot be published to, or the payload is not JSON.
 */
export function toMqttPublication(
  connector: string,
  { format, protocol }: Pick<MqttOptions, "format" | "protocol">,
  request: WriteRequest<MqttWriteOptions>,
): MqttPublication {
  const { target = "", payload, options: { qos = 1, retain = false, headers } } = request;
  const problem = topicProblem(target);
  if (problem !== undefined) {
    const message = `the topic ${quoted(target)} ${problem}`;
    throw new ConnectorError(connector, message, { permanent: true });
  }
  if (headers !== undefined && protocol === 4) {
    const message = "a message of protocol 4 has no headers";
    throw new ConnectorError(connector, message, { permanent: true });
  }
  const isText = format === "text" && typeof payload === "string";
  const sent = isText ? asText(request) : request;
  const made = toPublication(connector, LONGEST_TOPIC, protocol === 4 ? untraced(sent) : sent);
  const body = isText ? textOf(connector, payload) : made.body;
  return { ...made, body, qos: qos as Qos, retain };
}

function asText(request: WriteRequest<MqttWriteOptions>): WriteRequest<MqttWriteOptions> {
  return { ...request, payload: null };
}

function textOf(connector: string, payload: string): string {
  if (payload.isWellFormed()) return payload;
  const message = "the payload has half of a surrogate pair, which cannot be sent";
  throw new ConnectorError(connector, message, { permanent: true });
}
