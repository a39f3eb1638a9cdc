/** The ids of instances. */
import { toHex } from "../base/text.ts";

const FORM = /^[a-z0-9]{1,32}$/;

/** A new id of an instance: 20 of `a-f` and `0-9`. */
export function newInstanceId(): string {
  return toHex(crypto.getRandomValues(new Uint8Array(10)));
}

/** Whether a value has the form of an id. */
export function isInstanceId(value: unknown): boolean {
  return typeof value === "string" && FORM.test(value);
}
