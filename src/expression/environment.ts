/** The functions that depend on the environment: its variables, its clock and its random values. */

import { uuidFrom } from "../base/ids.ts";
import { quoted } from "../base/shown.ts";
import { stringOf } from "./arguments.ts";
import { Failure } from "./failure.ts";
import { Moment } from "./kinds.ts";
import { Meter } from "./meter.ts";
import {
  define,
  type ExpressionEnvironment,
  type FunctionDefinition,
  type Functions,
} from "./scope.ts";

/** Steps of a call of the system. */
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
    const [name] = literals;
    if (literals.length === 1 && name !== undefined) read(new Meter(), name);
    // Read once here too: workers and --watch must know which variables an expression uses.
    else if (typeof name === "string") env?.(name);
    return undefined;
  });
}

/** The random values of the machine. */
function fromCrypto(bytes: Uint8Array<ArrayBuffer>): void {
  crypto.getRandomValues(bytes);
}

/** A double from 0 to below 1. */
function randomNumber(randomBytes: (bytes: Uint8Array<ArrayBuffer>) => void): number {
  const bits = new Uint32Array(2);
  randomBytes(new Uint8Array(bits.buffer));
  // A double has 53 bits: 21 of the first number and all of the second.
  return ((bits[0] >>> 11) * 2 ** 32 + bits[1]) / 2 ** 53;
}

/** The functions of this file in one environment. */
export function environmentFunctions(
  { env, now = () => Date.now(), randomBytes }: ExpressionEnvironment,
): Functions {
  return {
    env: variableReader(env),
    now: define(0, 0, (meter) => {
      meter.spend(SYSTEM_CALL);
      return new Moment(now(), 0);
    }),
    now_unix: define(0, 0, (meter) => {
      meter.spend(SYSTEM_CALL);
      return BigInt(Math.floor(now() / 1000));
    }),
    uuid: define(0, 0, (meter) => {
      meter.spend(SYSTEM_CALL);
      return randomBytes === undefined ? crypto.randomUUID() : uuidFrom(randomBytes);
    }),
    random: define(0, 0, (meter) => {
      meter.spend(SYSTEM_CALL);
      return randomNumber(randomBytes ?? fromCrypto);
    }),
  };
}
