/** The headers of `auth` that are the same for every request. */
import { toBase64 } from "../../expression/bytes.ts";
import type { HttpAuth } from "./options.ts";

const utf8 = new TextEncoder();

/** The value of `Authorization` for a user and a password. */
export function basicAuth(user: string, password: string): string {
  return `Basic ${toBase64(utf8.encode(`${user}:${password}`))}`;
}

/** The name and the value of the header; the value is undefined where a token has to be asked for. */
export function authHeader(
  { bearer, basic, header }: HttpAuth,
): readonly [name: string, value: string | undefined] {
  if (bearer !== undefined) return ["authorization", `Bearer ${bearer}`];
  if (basic !== undefined) return ["authorization", basicAuth(basic.user, basic.password)];
  if (header !== undefined) return [header.name.toLowerCase(), header.value];
  return ["authorization", undefined];
}
