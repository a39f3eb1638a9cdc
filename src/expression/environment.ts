/** Functions that read the world around an expression: environment variables and the clock. */

import { quoted } from "../base/shown.ts";
import { stringOf } from "./arguments.ts";
import { Failure } from "./failure.ts";
import { Meter } from "./meter.ts";
import {
  define,
  type ExpressionEnvironment,
  type FunctionDefinition,
  type Functions,
} from "./scope.ts";

/** What asking the system for something takes. */
const SYSTEM_CALL = 100;

/** `env(name)` and `env(name, default)`. An empty variable counts as unset. */
function variableReader(env: ExpressionEnvironment["env"]): FunctionDefinition {
  const read = (meter: Meter, name: unknown, fallback?: unknown): unknown => {
    meter.spend(SYSTEM_CALL);
    const wanted = stringOf("env", name);
    const value = env?.(wanted) ?? "";
    if (value !== "") return value;
    if (fallback !== undefined) return fallback;
    throw new Failure(`the environment variable ${quoted(wanted)} is not set`);
  };
  return define(1, 2, read, (literals) => {
    if (literals.length === 1 && literals[0] !== undefined) read(new Meter(), literals[0]);
    return undefined;
  });
}

/** All functions of this file, in one environment. */
export function environmentFunctions({ env, now = Date.now }: ExpressionEnvironment): Functions {
  return {
    env: variableReader(env),
    now: define(0, 0, (meter) => {
      meter.spend(SYSTEM_CALL);
      return new Date(now()).toISOString();
    }),
    now_unix: define(0, 0, (meter) => {
      meter.spend(SYSTEM_CALL);
      return BigInt(Math.floor(now() / 1000));
    }),
  };
}
