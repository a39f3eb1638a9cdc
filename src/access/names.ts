/** The names of users and rooms. */
import { isLongerThan } from "../base/text.ts";

const MAX_BYTES = 255;
const CONTROL_CHARACTER = /\p{Cc}/u;

/** Why a name of a room or a user is invalid; undefined where it is valid. */
export function nameProblem(what: string, name: string): string | undefined {
  if (isLongerThan(name, MAX_BYTES)) {
    return `${what} is longer than ${MAX_BYTES} bytes`;
  }
  if (CONTROL_CHARACTER.test(name)) return `${what} has a control character`;
  if (!name.isWellFormed()) return `${what} has a lone surrogate`;
  return undefined;
}
