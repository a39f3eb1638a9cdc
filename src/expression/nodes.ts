/** Evaluates the nodes of an expression, given their compiled parts. */

import { Failure } from "./failure.ts";
import type { Meter } from "./meter.ts";
import type { Evaluate, FunctionCall } from "./scope.ts";
import { element, isKey, namesOf } from "./values.ts";

/**
 * Steps of throwing and catching one failure. In a callback of the system, where a server's events
 * run, V8 finds the place of everything that is thrown: 10 µs in Deno.
 */
export const FAILURE = 1_000;

/** `object[key]`; `refuse` throws for a key that is a list, a map or the like. */
export function elementOf(object: Evaluate, key: Evaluate, refuse: FunctionCall): Evaluate {
  return (scope, values, meter) => {
    const of = object(scope, values, meter);
    const at = key(scope, values, meter);
    if (typeof at === "object" && at !== null && !isKey(at)) return refuse(meter, at);
    return element(meter, of, at);
  };
}

/** A map; `name` is the name of the field for the value of a key. */
export function mapOf(
  entries: readonly { readonly key: Evaluate; readonly value: Evaluate }[],
  name: FunctionCall,
): Evaluate {
  // fromEntries defines properties: a key "__proto__" stays plain data.
  return (scope, values, meter) =>
    Object.fromEntries(
      entries.map(({ key, value }) => [
        name(meter, key(scope, values, meter)),
        value(scope, values, meter),
      ]),
    );
}

/** The map, which has fewer fields than `entries` where two keys were equal. That is a Failure. */
export function distinct(meter: Meter, map: unknown, entries: number): unknown {
  if (namesOf(meter, map as object).length === entries) return map;
  throw new Failure("two keys of the map are equal");
}

/** `test ? yes : no`. */
export function conditional(test: Evaluate, yes: Evaluate, no: Evaluate): Evaluate {
  return (scope, values, meter) =>
    test(scope, values, meter) ? yes(scope, values, meter) : no(scope, values, meter);
}

/**
 * `&&`, which false decides, and `||`, which true decides. As in CEL, a failure of one side does
 * not count where the other side decides the result.
 */
export function logical(left: Evaluate, right: Evaluate, decisive: boolean): Evaluate {
  return (scope, values, meter) => {
    let first: unknown;
    try {
      first = left(scope, values, meter);
    } catch (error) {
      if (!(error instanceof Failure) || meter.exhausted) throw error;
      meter.spend(FAILURE);
      if (right(scope, values, meter) === decisive) return decisive;
      throw error;
    }
    return first === decisive ? decisive : right(scope, values, meter);
  };
}

/** A call with evaluated arguments. Most calls have one or two. */
export function call(run: FunctionCall, args: readonly Evaluate[]): Evaluate {
  const [first, second] = args;
  switch (args.length) {
    case 1:
      return (scope, values, meter) => run(meter, first(scope, values, meter));
    case 2:
      return (scope, values, meter) =>
        run(meter, first(scope, values, meter), second(scope, values, meter));
    default:
      return (scope, values, meter) =>
        run(meter, ...args.map((evaluate) => evaluate(scope, values, meter)));
  }
}
