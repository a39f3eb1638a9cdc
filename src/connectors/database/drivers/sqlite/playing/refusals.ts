/**
 * What the columns of another database refuse, by their declared types. A value that is not refused here
 * may still be refused there.
 */
import type { Refusal, Syntax } from "../../../driver.ts";
import { type Kind, kindOf } from "./types.ts";

/** Why a column of this type takes no such value, which is not null; undefined where it may. */
export function refusalOf(
  value: unknown,
  declared: string | undefined,
  syntax: Syntax,
): Refusal | undefined {
  const kind = kindOf(declared ?? null, syntax);
  if (kind === undefined) return undefined;
  if (syntax === "postgres" && /^uuid$/i.test(declared ?? "")) return uuid(value);
  const isStructured = typeof value === "object";
  switch (kind.name) {
    case "integer":
    case "double":
    case "numeric":
      return number(value, kind, syntax);
    case "boolean":
      if (value === 0 || value === 1 || typeof value === "boolean") return undefined;
      if (typeof value === "string" && mayBeBoolean(value)) return undefined;
      return { reason: "is neither true nor false", hint: "write true or false" };
    case "timestamp":
    case "date":
      // MySQL has times that are numbers.
      return isStructured || (syntax === "postgres" && typeof value !== "string")
        ? { reason: "is not a time", hint: "write a text in ISO 8601, such as now()" }
        : undefined;
    case "bytes":
      return typeof value === "string" && isBase64(value)
        ? undefined
        : { reason: "is not Base64 text", hint: "write base64_encode(…)" };
    case "list":
      return Array.isArray(value) || (typeof value === "string" && /^\s*[[{]/.test(value))
        ? undefined
        : { reason: "is not a list", hint: "write a list" };
    default:
      return undefined;
  }
}

function number(value: unknown, { name }: Kind, syntax: Syntax): Refusal | undefined {
  const isRefused = typeof value === "string"
    ? !mayBeNumber(value)
    // MySQL's booleans are whole numbers.
    : typeof value === "object" || (typeof value === "boolean" && syntax === "postgres");
  if (!isRefused) return undefined;
  return { reason: "is not a number", hint: `write a ${name === "integer" ? "whole " : ""}number` };
}

/** Whether PostgreSQL or MySQL could read a text as a number: in hexadecimal digits, say. */
function mayBeNumber(text: string): boolean {
  if (/nan|inf/i.test(text)) return true;
  const [dashes, dots] = ["-", "."].map((sign) => text.split(sign).length - 1);
  return /\d/.test(text) && !/[:@/]|\d-\d/.test(text) && dashes < 3 && dots < 2;
}

/** PostgreSQL takes the beginnings of these words. */
function mayBeBoolean(text: string): boolean {
  const word = text.trim().toLowerCase();
  return ["true", "false", "yes", "no", "on", "off", "1", "0"].some((one) => one.startsWith(word));
}

function isBase64(text: string): boolean {
  return /^[A-Za-z0-9+/]*={0,2}$/.test(text);
}

/** PostgreSQL's UUIDs have 32 hexadecimal digits, with or without dashes and braces. */
function uuid(value: unknown): Refusal | undefined {
  if (typeof value === "string" && /^[\da-f]{32}$/i.test(value.replace(/[-{}\s]/g, ""))) {
    return undefined;
  }
  return { reason: "is not a UUID", hint: "write uuid(), or a text that is a UUID" };
}
