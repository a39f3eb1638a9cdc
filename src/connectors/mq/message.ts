/** A message of a broker and the event that it is for flows. */
import { isObject } from "../../base/json.ts";
import type { FlowEvent } from "../../contract/connector.ts";

/** A message, whatever broker it came from. */
export interface Message {
  readonly routingKey: string;
  /** The exchange that it was published to; empty for the default exchange. */
  readonly exchange: string;
  /** The body, parsed. */
  readonly body: unknown;
  readonly headers: Readonly<Record<string, unknown>>;
  /** The standard properties under their AMQP names, such as `message_id`; absent ones are left out. */
  readonly properties: Readonly<Record<string, unknown>>;
}

/** What a message adds to the fields of its body. */
export const METADATA: readonly string[] = [
  "body",
  "headers",
  "routing_key",
  "exchange",
  "properties",
];

/** A message as flows see it. */
export class MessageEvent implements FlowEvent {
  readonly operation: string;
  readonly payload: unknown;
  readonly #message: Message;
  #input: Readonly<Record<string, unknown>> | undefined;

  /** Several flows may share one event. */
  constructor(message: Message) {
    this.operation = message.routingKey;
    this.payload = message.body;
    this.#message = message;
  }

  /** The body's fields and the message's metadata, which wins; made on first use. */
  get input(): Readonly<Record<string, unknown>> {
    return this.#input ??= this.#makeInput();
  }

  #makeInput(): Readonly<Record<string, unknown>> {
    const { routingKey, exchange, body, headers, properties } = this.#message;
    const fields = isObject(body) ? body : {};
    // Spreading defines its keys one by one, so that "__proto__" is a key like any other.
    return { ...fields, body, headers, routing_key: routingKey, exchange, properties };
  }
}
