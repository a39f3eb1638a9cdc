/** Which flows listen to which operation of one connector. */
import { didYouMean } from "../../base/nearest.ts";
import type { FlowHandler } from "../../contract/connector.ts";

/** Operations that every client causes, whether a flow names them or not. */
const BUILT_IN: readonly string[] = ["connect", "disconnect", "join_room", "leave_room"];
/** Operations that no frame can cause. */
const NO_FRAMES: readonly string[] = ["connect", "disconnect"];

/** The flows of one connector, in file order. */
export class Subscriptions {
  readonly #all: { readonly operation: string | undefined; readonly handler: FlowHandler }[] = [];
  readonly #byOperation = new Map<string, readonly FlowHandler[]>();

  /** Adds a flow on one operation; undefined for all of them. */
  add(operation: string | undefined, handler: FlowHandler): void {
    this.#all.push({ operation, handler });
    this.#byOperation.clear();
  }

  /** The flows on one operation; undefined where no client can cause it. */
  of(operation: string): readonly FlowHandler[] | undefined {
    const cached = this.#byOperation.get(operation);
    if (cached !== undefined) return cached;
    const named = this.#all.some((one) => one.operation === operation);
    const unnamed = this.#all.some((one) => one.operation === undefined);
    const known = named || (operation === "message" ? unnamed : BUILT_IN.includes(operation));
    if (!known) return undefined;
    const handlers = this.#all
      .filter((one) => one.operation === operation || one.operation === undefined)
      .map((one) => one.handler);
    this.#byOperation.set(operation, handlers);
    return handlers;
  }

  /** `did you mean "…"?` for a type that no flow serves. `others` are types that need no flow. */
  suggest(type: string, others: readonly string[]): string | undefined {
    const named = this.#all.flatMap(({ operation }) => operation ?? []);
    const types = ["message", "join_room", "leave_room", "ping", ...others, ...named];
    return didYouMean(type, types.filter((one) => one !== type && !NO_FRAMES.includes(one)));
  }
}
