/** Checks of a `connector` block that concern its driver, or several attributes. */
import type { CodedProblem } from "../../contract/definition.ts";
import { placesOf } from "../../contract/places.ts";
import type { Driver } from "./driver.ts";
import type { DatabaseOptions } from "./options.ts";

/** What every driver takes. */
const OF_ALL: readonly string[] = ["driver", "migrations"];

/** What `url` replaces. */
const PARTS = ["host", "port", "database", "user", "password"] as const;

/** Checks a block whose attributes are good one by one; `drivers` is the table of drivers. */
export function checkConnector(
  options: DatabaseOptions,
  drivers: Readonly<Record<string, Driver>>,
): readonly CodedProblem[] {
  const driver = drivers[options.driver];
  const places = placesOf(options);
  // `tls = false` has no value, and is written all the same.
  const given = (Object.keys(options) as (keyof DatabaseOptions)[]).filter((name) =>
    places.has(name) || places.block(name) !== undefined
  );
  const foreign = given.filter((name) =>
    !OF_ALL.includes(name) && !driver.attributes.includes(name)
  );
  if (foreign.length > 0) return foreign.map((name) => foreignAttribute(name, options, drivers));
  const empty = emptyTexts(options);
  if (empty.length > 0) return empty;
  if (driver.schemes === undefined) return [];
  if (options.url !== undefined) {
    const parts = refuseParts(PARTS.filter((name) => given.includes(name)));
    return [...parts, ...checkUrl(options.url, driver.title, driver.schemes)];
  }
  if (given.includes("database")) return [];
  const hint = `such as url = "${driver.schemes[0]}://user:password@host/database"`;
  return [{ code: "missing-attribute", message: "needs a url, or a database", hint }];
}

/** An empty text is what is left of a variable that is not set. */
function emptyTexts(options: DatabaseOptions): readonly CodedProblem[] {
  const { url, host, database, user, changes } = options;
  const texts = { url, host, database, user };
  const problem = (attribute: string, name: string): CodedProblem => ({
    code: "invalid-value",
    attribute,
    message: `has an empty ${name}`,
  });
  return [
    ...Object.entries(texts).filter(([, text]) => text === "").map(([name]) => problem(name, name)),
    ...Object.entries(changes ?? {}).filter(([, value]) => value === "")
      .map(([name]) => problem("changes", `${name} in its changes`)),
  ];
}

/** The driver reads the rest of it at the start. The text is not shown: a password may be in it. */
function checkUrl(url: string, title: string, schemes: readonly string[]): readonly CodedProblem[] {
  const scheme = /^([a-z]+):\/\//i.exec(url)?.[1].toLowerCase();
  if (scheme !== undefined && schemes.includes(scheme) && URL.canParse(url)) return [];
  const message = `has a url that is none of ${title}`;
  const hint = `it is like ${schemes[0]}://user:password@host/database`;
  return [{ code: "invalid-url", attribute: "url", message, hint }];
}

function foreignAttribute(
  name: string,
  { driver }: DatabaseOptions,
  drivers: Readonly<Record<string, Driver>>,
): CodedProblem {
  const takers = Object.entries(drivers).filter(([, { attributes }]) => attributes.includes(name));
  const names = takers.map(([taker]) => `"${taker}"`).join(" or ");
  return {
    code: "unused-attribute",
    attribute: name,
    message: `takes no ${name} with driver = "${driver}"`,
    ...(names === "" ? {} : { hint: `driver = ${names} takes it` }),
  };
}

function refuseParts(parts: readonly string[]): readonly CodedProblem[] {
  return parts.map((name) => ({
    code: "conflicting-attributes",
    attribute: name,
    message: `has both a url and the attribute "${name}", which is a part of it`,
    hint: "leave one of them out",
  }));
}
