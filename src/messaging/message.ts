/** Messages: what a broker delivers, and the event that flows see. */
import { isObject } from "../base/json.ts";
import type { FlowEvent } from "../contract/connector.ts";

/** A message that was delivered, whatever broker it came from. */
export interface Message {
  /** The operation of its event: what the operations of flows are matched with. */
  readonly key: string;
  /** The body, parsed. */
  readonly body: unknown;
  /** What flows see on `input` beside the body: the driver's `metadata` without `body`. */
  readonly metadata: Readonly<Record<string, unknown>>;
}

/** A message as flows see it. Several flows may share one event. */
export class MessageEvent implements FlowEvent {
  readonly operation: string;
  readonly payload: unknown;
  readonly #metadata: Message["metadata"];
  #input: Readonly<Record<string, unknown>> | undefined;

  /** Copies nothing. */
  constructor({ key, body, metadata }: Message) {
    this.operation = key;
    this.payload = body;
    this.#metadata = metadata;
  }

  /** The fields of the body and the message's metadata, which wins; made on first use. */
  get input(): Readonly<Record<string, unknown>> {
    if (this.#input === undefined) {
      const fields = isObject(this.payload) ? this.payload : {};
      // Spreading defines its keys one by one, so that "__proto__" is a key like any other.
      this.#input = { ...fields, body: this.payload, ...this.#metadata };
    }
    return this.#input;
  }

  get metadata(): ReadonlySet<string> {
    return new Set(["body", ...Object.keys(this.#metadata)]);
  }

  get traceparent(): string | undefined {
    return this.#header("traceparent");
  }

  get tracestate(): string | undefined {
    return this.#header("tracestate");
  }

  #header(name: string): string | undefined {
    const { headers } = this.#metadata;
    const value = isObject(headers) ? headers[name] : undefined;
    return typeof value === "string" ? value : undefined;
  }
}

/** The attributes of a `to` block, or what the caller of `runtime.publish` passed. */
export interface MessageOptions {
  /** Values, or expressions for them. */
  readonly headers?: Readonly<Record<string, unknown>>;
  /** The id of the message: a text, or an expression for it. */
  readonly message_id?: unknown;
}

/** A message to be published. */
export interface Publication {
  readonly routingKey: string;
  /** JSON. */
  readonly body: string;
  readonly headers: Readonly<Record<string, unknown>>;
  /** Undefined: the broker's client chooses one, where its messages have ids. */
  readonly messageId: string | undefined;
}
