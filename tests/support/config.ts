/** Reads configurations in tests. */
import type { SourceFile } from "../../src/hcl/tree.ts";
import { defineConnector } from "../../src/contract/definition.ts";
import { ConfigError } from "../../src/base/errors.ts";
import { loadConfig, type LoadOptions } from "../../src/runtime/load.ts";
import type { Fields } from "../../src/contract/fields.ts";
import type { Problem } from "../../src/base/problem.ts";
import { placed } from "./problems.ts";

/** The problems of a configuration, each as `file:line:column+length code`; none if it is good. */
export async function problemsOf(
  source: string | readonly SourceFile[],
  options: LoadOptions = {},
): Promise<string[]> {
  return (await failuresOf(source, options)).map(placed);
}

/** The problems of a configuration; none if it is good. */
export async function failuresOf(
  source: string | readonly SourceFile[],
  options: LoadOptions = {},
): Promise<readonly Problem[]> {
  try {
    await loadConfig(source, options);
    return [];
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
}

/** Files of the folder `/conf`, by name. */
export function filesOf(texts: Readonly<Record<string, string>>): SourceFile[] {
  return Object.entries(texts).map(([path, text]) => ({ path, text, folder: "/conf" }));
}

/** The text of a configuration whose only block is the connector `x`, with this body. */
export function connectorWith(body: string): string {
  return `connector "x" {\n  type = "probe"\n${body}\n}\n`;
}

/** Options that bring the connector type `probe` with these fields. */
export function withFields(fields: Fields, options: LoadOptions = {}): LoadOptions {
  return { ...options, connectors: { probe: defineConnector({ fields, create: () => ({}) }) } };
}

/** What the fields make of a connector block with this body; `others` are blocks beside it. */
export async function optionsOf(
  fields: Fields,
  body: string,
  options: LoadOptions = {},
  others = "",
): Promise<Readonly<Record<string, unknown>>> {
  const model = await loadConfig(connectorWith(body) + others, withFields(fields, options));
  return model.connectors.get("x")?.options as Readonly<Record<string, unknown>>;
}
