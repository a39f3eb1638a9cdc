/** What expressions see as `match`: the named levels of a flow's operation. */
import type { FlowEvent, FlowHandler } from "../../contract/connector.ts";
import { type Filter, namesIn, readFilter } from "./filters.ts";

/** Gives a flow its own `match`, where its operation has names. `topicOf` finds the event's topic. */
export function withMatch(
  operation: string | undefined,
  handler: FlowHandler,
  topicOf: (operation: string) => string,
): FlowHandler {
  const { names } = readFilter(operation);
  return names.size === 0 ? handler : new MatchingFlow(handler, names, topicOf);
}

/** Its source calls `takes` and then `run` with one event, and so must it. */
class MatchingFlow implements FlowHandler {
  readonly flow: string;
  readonly filterRefusal?: FlowHandler["filterRefusal"] & object;
  readonly #handler: FlowHandler;
  readonly #names: Filter["names"];
  readonly #topicOf: (operation: string) => string;
  /** The event of the latest `takes`, and what the flow saw of it. */
  #seen: readonly [FlowEvent, MatchedEvent] | undefined;

  constructor(
    handler: FlowHandler,
    names: Filter["names"],
    topicOf: (operation: string) => string,
  ) {
    this.flow = handler.flow;
    if (handler.filterRefusal !== undefined) this.filterRefusal = handler.filterRefusal;
    this.#handler = handler;
    this.#names = names;
    this.#topicOf = topicOf;
  }

  takes(event: FlowEvent): boolean {
    const matched = this.#match(event);
    this.#seen = [event, matched];
    return this.#handler.takes(matched);
  }

  run(event: FlowEvent): ReturnType<FlowHandler["run"]> {
    const seen = this.#seen;
    this.#seen = undefined;
    return this.#handler.run(seen?.[0] === event ? seen[1] : this.#match(event));
  }

  #match(event: FlowEvent): MatchedEvent {
    return new MatchedEvent(event, this.#names, this.#topicOf(event.operation));
  }
}

/** An event with the names of one flow. */
class MatchedEvent implements FlowEvent {
  readonly operation: string;
  readonly payload: unknown;
  readonly #event: FlowEvent;
  readonly #names: Filter["names"];
  #match: Readonly<Record<string, string>> | undefined;

  constructor(event: FlowEvent, names: Filter["names"], topic: string) {
    this.operation = topic;
    this.payload = event.payload;
    this.#event = event;
    this.#names = names;
  }

  get input(): FlowEvent["input"] {
    return this.#event.input;
  }

  get metadata(): ReadonlySet<string> {
    return this.#event.metadata ?? NONE;
  }

  get match(): Readonly<Record<string, string>> {
    return this.#match ??= namesIn(this.#names, this.operation);
  }
}

const NONE: ReadonlySet<string> = new Set();
