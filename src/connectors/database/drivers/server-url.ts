/** The url of a server, for every driver. Its text is never shown: it may have a password. */
import { quoted } from "../../../base/shown.ts";

/** The parts of a url; undefined where it lacks one. */
export interface ServerUrl {
  /** A name, or an address without brackets. */
  readonly host: string | undefined;
  readonly port: number | undefined;
  readonly user: string | undefined;
  readonly password: string | undefined;
  readonly database: string | undefined;
  readonly parameters: URLSearchParams;
}

/** How the urls of a driver look. */
export interface UrlForm {
  /** Its schemes, such as `mysql`, the usual one first. */
  readonly schemes: readonly string[];
  /** The port where a url names none. */
  readonly port: number;
}

/** Throws the error of a connector. */
export type Fail = (message: string) => never;

/** Takes a url apart, or fails. */
export function readServerUrl(text: string, { schemes, port }: UrlForm, fail: Fail): ServerUrl {
  const advice = `it must be like ${schemes[0]}://user:password@host:${port}/database`;
  const [, scheme = ""] = /^([a-z]+):\/\//i.exec(text) ?? [];
  if (!schemes.includes(scheme.toLowerCase())) return fail(`has a wrong url: ${advice}`);
  const url = URL.parse(text);
  if (url === null) return fail(`has a wrong url: ${advice}, with % and other marks escaped`);
  if (url.hash !== "") return fail('has a wrong url: "#" in a name or password is written %23');
  const decode = (part: string, what: string): string | undefined => {
    if (part === "") return undefined;
    if (part.includes("%00")) return fail(`has a NUL in the ${what} of its url`);
    try {
      return decodeURIComponent(part);
    } catch {
      return fail(`has a wrong url: the % in its ${what} is no escape; a plain % is written %25`);
    }
  };
  const host = decode(url.hostname.replace(/^\[(.*)\]$/, "$1"), "host");
  if (host?.includes(",")) return fail("has several hosts in its url; name one");
  const path = url.pathname.slice(1);
  if (path.includes("/")) return fail('has a wrong url: "/" in a database\'s name is written %2F');
  return {
    host,
    port: url.port === "" ? undefined : Number(url.port),
    user: decode(url.username, "user"),
    password: decode(url.password, "password"),
    database: decode(path, "database"),
    parameters: url.searchParams,
  };
}

/**
 * Fails for a parameter that a url cannot have. `instead` says what to do in place of those that other
 * programs take, by their names in small letters, `taken` what is true of all others.
 */
export function refuseParameter(
  name: string,
  instead: Readonly<Record<string, string>>,
  taken: string,
  fail: Fail,
): never {
  const key = name.toLowerCase();
  const hint = Object.hasOwn(instead, key) ? instead[key] : taken;
  return fail(`has the parameter ${quoted(name)} in its url; ${hint}`);
}
