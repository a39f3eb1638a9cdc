/** Who of a group gets what is sent to it. */
import { holds } from "../../condition.ts";
import type { Client } from "../../connector.ts";
import type { Expression, Scope } from "../../expression.ts";

/** Whom a `to` block leaves out of a group. */
export interface Choice {
  /** Evaluated for each recipient, who is `client`; false leaves that one out. */
  readonly filter: Expression | undefined;
  /** The `id` of the client that gets nothing; undefined for none. */
  readonly except: string | undefined;
  /** The filter's variables beside `client`. */
  readonly scope: Scope;
}

/**
 * The members that are meant. All are chosen before anything is sent: a filter that fails leaves
 * nobody half informed.
 *
 * @throws {ExpressionError} The filter failed for one of them.
 */
export function choose<Member extends { readonly client: Client }>(
  group: Iterable<Member>,
  { filter, except, scope }: Choice,
): readonly Member[] {
  const seen = filter === undefined ? {} : variablesOf(filter, scope);
  return [...group].filter(({ client }) => {
    if (client.id === except) return false;
    seen.client = client;
    return filter === undefined || holds(filter, seen);
  });
}

/** Read once for all recipients, and by name: a scope's variables may be made when they are read. */
function variablesOf(filter: Expression, scope: Scope): Record<string, unknown> {
  const names = [...filter.variables].filter((name) => name !== "client");
  return Object.fromEntries(names.map((name) => [name, scope[name]]));
}
