/** What a server is made of, so that two configurations can be compared. */
import { type Block, type Body, Call } from "../hcl/tree.ts";
import type { ConnectorModel, ModelSource } from "../model/mod.ts";
import { decisionsOf } from "./decisions.ts";

/** Notes the variables that are read through its `env`. */
export class VariableRecorder {
  /** The values by name; undefined where a variable is not set. */
  readonly read = new Map<string, string | undefined>();
  readonly #env: (name: string) => string | undefined;

  /** Reads with `env`. */
  constructor(env: (name: string) => string | undefined) {
    this.#env = env;
  }

  readonly env = (name: string): string | undefined => {
    const value = this.#env(name);
    this.read.set(name, value);
    return value;
  };
}

/** The source of a model. `env` has what was read outside of `test` blocks. */
export function sourceOf(
  body: Body,
  connectors: ReadonlyMap<string, ConnectorModel>,
  env: ReadonlyMap<string, string | undefined>,
  planned: ModelSource["planned"],
): ModelSource {
  let text: string | undefined;
  return {
    env,
    describe: () => text ??= describe(body),
    decisions: () => decisionsOf(body, connectors),
    planned,
  };
}

/** Text that is equal for two trees that differ in `test` blocks, comments, spaces and places only. */
function describe({ blocks }: Body): string {
  const parts = blocks.filter(({ type }) => type !== "test")
    // Relative paths belong to the folder of their file.
    .map((block) => [block.headerSpan.file.folder, plainBlock(block)]);
  return JSON.stringify(parts, replace);
}

function plainBlock({ type, labels, body }: Block): unknown {
  const attributes = body.attributes.map(({ name, value }) => [name, value]);
  return [type, labels.map(({ text }) => text), attributes, body.blocks.map(plainBlock)];
}

/** JSON has no calls, and writes infinite numbers as null. */
function replace(_key: string, value: unknown): unknown {
  if (value instanceof Call) return { [CALL]: [value.name, value.arguments] };
  return typeof value === "number" && !Number.isFinite(value) ? { [CALL]: String(value) } : value;
}

/** A key that nobody writes. */
const CALL = "\0call";
