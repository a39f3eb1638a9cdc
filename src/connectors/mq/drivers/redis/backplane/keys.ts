/** Keys that the instances share: each call is one command, so that nothing comes between. */
import { BackplaneError, type SharedKeys } from "../../../../../contract/backplane.ts";
import { isForbidden } from "../server/errors.ts";
import type { Commands } from "./commands.ts";
import type { Names } from "./names.ts";

/** Sets a key that has a value. The arguments are the old value, the new one, and milliseconds. */
const REPLACE = `if redis.call("GET", KEYS[1]) ~= ARGV[1] then return 0 end
redis.call("SET", KEYS[1], ARGV[2], "PX", ARGV[3])
return 1`;

/** Removes a key that has a value. */
const REMOVE = `if redis.call("GET", KEYS[1]) ~= ARGV[1] then return 0 end
return redis.call("DEL", KEYS[1])`;

/** The keys of a service. */
export function sharedKeys(commands: Commands, { keys: prefix, grants }: Names): SharedKeys {
  let missing = false;
  const send = <T = unknown>(args: readonly string[]): Promise<T> =>
    commands.send<T>(args).then((answer) => {
      missing = false;
      return answer;
    }, (error) => {
      missing = isRefused(error);
      throw isRefused(error) ? withRights(error, grants.keys) : error;
    });
  const milliseconds = (ttl: number): string => String(Math.max(1, Math.ceil(ttl)));
  return {
    get missing() {
      return missing;
    },
    async add(key, value, ttl) {
      const set = ["SET", prefix + key, value, "NX", "GET", "PX", milliseconds(ttl)];
      return await send<string | null>(set) ?? undefined;
    },
    async get(key) {
      return await send<string | null>(["GET", prefix + key]) ?? undefined;
    },
    async replace(key, old, value, ttl) {
      const args = [prefix + key, old, value, milliseconds(ttl)];
      return await send<number>(["EVAL", REPLACE, "1", ...args]) === 1;
    },
    async remove(key, value) {
      await send(["EVAL", REMOVE, "1", prefix + key, value]);
    },
  };
}

/** Whether the user may not use the keys. */
function isRefused(error: unknown): error is BackplaneError {
  return error instanceof BackplaneError && isForbidden(error);
}

/** The same error, with what the user needs. */
function withRights(error: BackplaneError, grant: string): BackplaneError {
  const message = `${error.message}; ${grant}, or name a store for dedupe`;
  return new BackplaneError(message, { unknown: error.unknown, cause: error });
}
