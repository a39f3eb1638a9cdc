/**
 * Which connection subscribes to what, so that each flow gets each message once. Where subscriptions
 * overlap, a broker sends a message once, or once for each of them, and does not say which it is: so
 * those of one connection never overlap.
 */
import type { Matcher } from "../../contract/subscriptions.ts";
import { compileLevels, covers, type Filter, overlap, readFilter } from "./filters.ts";

/** The connections of a connector that consumes. Almost always it is one. */
export class Routes {
  readonly #operations: readonly (string | undefined)[];
  readonly #one: boolean;
  #connections: readonly (readonly Filter[])[] | undefined;

  /** `operations` are complete before the first message. `one`: all are of one connection. */
  constructor(operations: readonly (string | undefined)[], one = false) {
    this.#operations = operations;
    this.#one = one;
  }

  /** The subscriptions of each connection. */
  get connections(): readonly (readonly Filter[])[] {
    return this.#connections ??= this.#find();
  }

  /** Whether the instances and workers share all messages, instead of getting each of them. */
  get shared(): boolean {
    return this.#operations.length > 0 &&
      this.#operations.every((text) => readFilter(text).group !== undefined);
  }

  /** The operation of an event: its topic, and which connection it came from where there are several. */
  keyOf(connection: number, topic: string): string {
    return this.connections.length === 1 ? topic : `${connection}:${topic}`;
  }

  /** The topic in such an operation. */
  topicOf(key: string): string {
    return this.connections.length === 1 ? key : key.slice(key.indexOf(":") + 1);
  }

  #find(): readonly (readonly Filter[])[] {
    const all = this.#operations.map((text) => readFilter(text));
    return this.#one ? [all] : spread(all);
  }

  /** Compiles the operation of a flow. */
  matcher(operation: string | undefined): Matcher {
    const filter = readFilter(operation);
    const matches = compileLevels(filter.levels);
    let prefix: string | undefined;
    return (key) => {
      if (this.connections.length === 1) return matches(key);
      prefix ??= `${this.connections.findIndex((some) => some.some((one) => holds(one, filter)))}:`;
      return key.startsWith(prefix) && matches(key.slice(prefix.length));
    };
  }
}

/** Whether a flow of `inner` gets its messages by the subscription `outer`. */
function holds(outer: Filter, inner: Filter): boolean {
  return outer.group === inner.group && covers(outer.levels, inner.levels);
}

function spread(all: readonly Filter[]): readonly (readonly Filter[])[] {
  const distinct = [...new Map(all.map((filter) => [filter.subscription, filter])).values()];
  const needed = distinct.filter((inner) =>
    !distinct.some((outer) => outer !== inner && holds(outer, inner))
  );
  const connections: Filter[][] = [];
  for (const filter of needed) {
    const free = connections.find((some) =>
      !some.some(({ levels }) => overlap(levels, filter.levels))
    );
    if (free === undefined) connections.push([filter]);
    else free.push(filter);
  }
  return connections;
}
