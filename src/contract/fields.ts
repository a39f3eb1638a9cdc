/**
 * The parts of the schema of a block: attributes, paths and blocks. Plain values are checked
 * by valibot; the shape of blocks and their places in the text are checked here.
 */
import {
  type Attribute,
  type Block,
  type Body,
  positionOf,
  type Report,
  type Span,
} from "../hcl/tree.ts";
import type { Expression } from "../expression/mod.ts";
import { didYouMean } from "../base/nearest.ts";
import { resolvePath } from "../base/path.ts";
import type { LookupModel } from "./request.ts";
import { keepPlaces, misspelledOf, Places, strangersOf } from "./places.ts";
import { text, type ValueSchema } from "./value-schema.ts";

/** What a field is read with. */
export interface ReadContext {
  /** The block in words, such as `connector "ws" (websocket)`. */
  readonly subject: string;
  /** The variables that expressions of this block may use. */
  readonly variables: readonly string[];
  /** What to do where an expression reads a variable of this name, which is not among `variables`. */
  readonly hints?: Readonly<Record<string, string>> | undefined;
  /** False where no connection of a client can be behind the event; by default as `client` is known. */
  readonly fromClient?: boolean | undefined;
  /** Reads environment variables for expressions. */
  readonly env: (name: string) => string | undefined;
  /** The time for expressions, in milliseconds since the epoch; the machine's own by default. */
  readonly now?: (() => number) | undefined;
  /** Fills bytes with random values, for expressions; those of `crypto` by default. */
  readonly randomBytes?: ((bytes: Uint8Array<ArrayBuffer>) => void) | undefined;
  /** The names of all constants; undefined if some may be unknown. */
  readonly constants?: readonly string[] | undefined;
  /** The names that a step of this block sends without `params`, if they are known. */
  readonly sent?: readonly string[] | undefined;
  /** Takes every expression that was compiled, and the place of its attribute's value. */
  readonly onExpression?: ((expression: Expression, span: Span) => void) | undefined;
  /** For the field `lookups`: blocks that can only be read once all connectors are known. */
  lookups?(body: Body, name: string, context: ReadContext): readonly LookupModel[];
  /** The fields that this block has under a wrong name; that has been reported. */
  readonly misspelled?: ReadonlySet<string> | undefined;
  /** Takes a problem. */
  readonly report: Report;
}

/** One attribute or block that a block may have. */
export interface Field<T> {
  /** How it is written: `name = value`, `name { … }`, or either of them. */
  readonly kind: "attribute" | "block" | "either";
  /** What it is for, in one sentence. */
  readonly about: string;
  /** The kind of value in words, such as `duration`. */
  readonly type: string;
  /** True where it must be there. */
  readonly required: boolean;
  /** The default as a person would write it. */
  readonly default?: string;
  /** The fields of a block. */
  readonly fields?: Fields;
  /** Reads the field called `name` from a block's body; reports what is wrong with it. */
  read(body: Body, name: string, owner: Span, context: ReadContext): T;
}

/** The attributes and blocks of one block, by name. */
export type Fields = Readonly<Record<string, Field<unknown>>>;

/** The values of `F`. */
export type Values<F extends Fields> = {
  readonly [K in keyof F]: F[K] extends Field<infer T> ? T : never;
};

/** How an attribute is described. */
export interface About {
  /** What it is for, in one sentence. */
  readonly about: string;
}

/** Reads all fields of a block, and reports other names; `elsewhere` has the hints for some of them. */
export function readFields<F extends Fields>(
  body: Body,
  fields: F,
  owner: Span,
  context: ReadContext,
  elsewhere?: ReadonlyMap<string, string>,
): Values<F> {
  const names = Object.keys(fields);
  for (const { name, kind, span } of strangersOf(body, fields)) {
    const hint = Object.hasOwn(fields, name)
      ? `write it as ${name} ${kind === "block" ? "= …" : "{ … }"}`
      : elsewhere?.get(name) ?? didYouMean(name, names) ??
        (names.length === 0 ? undefined : `it has ${names.join(", ")}`);
    const message = `${context.subject} has no ${kind} "${name}"`;
    context.report({ code: `unknown-${kind}`, span, message, hint });
  }
  const inner = { ...context, misspelled: misspelledOf(body, fields) };
  const values = Object.fromEntries(
    names.map((name) => [name, fields[name].read(body, name, owner, inner)]),
  );
  keepPlaces(values, new Places(body, owner, inner.misspelled));
  return values as Values<F>;
}

/** An attribute that may be left out. */
export function attribute<T>(schema: ValueSchema<T>, options: About): Field<T | undefined>;
/** An attribute with a default, written as in a configuration. */
export function attribute<T>(
  schema: ValueSchema<T>,
  options: About & { readonly default: string | number | boolean },
): Field<T>;
/** An attribute that must be there. */
export function attribute<T>(
  schema: ValueSchema<T>,
  options: About & { readonly required: true },
): Field<T>;
export function attribute<T>(
  schema: ValueSchema<T>,
  options: About & {
    readonly default?: string | number | boolean;
    readonly required?: boolean;
  },
): Field<T | undefined> {
  const { about, required = false } = options;
  const fallback = options.default === undefined ? undefined : defaultOf(schema, options.default);
  return {
    kind: "attribute",
    about,
    required,
    type: schema.description,
    ...(options.default === undefined ? {} : { default: JSON.stringify(options.default) }),
    read(body, name, owner, context) {
      const found = findAttribute(body, name, owner, required, context);
      if (found === undefined) return fallback;
      const result = schema.parse(found.value);
      if ("value" in result) return result.value;
      const { problem, hint } = result;
      const message = `${context.subject}: ${name} ${problem}`;
      context.report({ code: "invalid-value", span: found.valueSpan, message, hint });
      return fallback;
    },
  };
}

/** The same field, but it must be there. */
export function required<T>(field: Field<T | undefined>): Field<T> {
  return {
    ...field,
    required: true,
    read(body, name, owner, context) {
      if (field.kind === "attribute") findAttribute(body, name, owner, true, context);
      else if (!new Places(body, owner).block(name) && !context.misspelled?.has(name)) {
        const message = `${context.subject} needs the block "${name}"`;
        context.report({ code: "missing-block", span: owner, message });
      }
      // What is missing has been reported, and a configuration with problems is never used.
      return field.read(body, name, owner, context) as T;
    },
  };
}

/** A path; a relative one is relative to the folder of the file that holds it. */
export function path(options: About): Field<string | undefined> {
  const inner = attribute(text(), options);
  return {
    ...inner,
    type: "path",
    read(body, name, owner, context) {
      const value = inner.read(body, name, owner, context);
      if (value === undefined) return undefined;
      return resolvePath(new Places(body, owner).of(name).file.folder, value);
    },
  };
}

/** A block that can exist at most once. */
export function block<F extends Fields>(fields: F, options: About): Field<Values<F> | undefined> {
  return {
    kind: "block",
    about: options.about,
    required: false,
    type: "block",
    fields,
    read(body, name, _owner, context) {
      const [found] = findBlocks(body, name, 1, context);
      return found && readInner(found, name, fields, context);
    },
  };
}

/** A block that can exist several times. */
export function blocks<F extends Fields>(fields: F, options: About): Field<readonly Values<F>[]> {
  return {
    kind: "block",
    about: options.about,
    required: false,
    type: "blocks",
    fields,
    read: (body, name, _owner, context) =>
      findBlocks(body, name, Infinity, context).map((b) => readInner(b, name, fields, context)),
  };
}

function defaultOf<T>(schema: ValueSchema<T>, written: unknown): T {
  const result = schema.parse(written);
  if ("value" in result) return result.value;
  throw new TypeError(`the default ${JSON.stringify(written)} ${result.problem}`);
}

/** The attribute called `name`, where it is there and its value could be evaluated. */
export function findAttribute(
  body: Body,
  name: string,
  owner: Span,
  required: boolean,
  context: ReadContext,
): Attribute | undefined {
  const found = new Places(body, owner).attribute(name);
  // The failure of its value has been reported where it was evaluated.
  if (found?.failed) return undefined;
  if (found === undefined && required && !context.misspelled?.has(name)) {
    const message = `${context.subject} needs the attribute "${name}"`;
    context.report({ code: "missing-attribute", span: owner, message });
  }
  return found;
}

/** A block and what its label says. */
export type NamedBlock = readonly [label: string, block: Block];

/** Blocks of one kind that each need a label of their own; reports those that have none. */
export function nameBlocks(
  found: readonly Block[],
  kind: string,
  subject: string,
  report: Report,
): readonly NamedBlock[] {
  const named = new Map<string, Block>();
  for (const item of found) {
    const [label, ...more] = item.labels;
    if (!hasName(item)) {
      const message = `${subject}a ${kind} needs a name`;
      const hint = `write it as ${kind} "name" { … }`;
      report({ code: "missing-name", span: item.headerSpan, message, hint });
      continue;
    }
    for (const { span } of more) {
      const message = `${subject}${kind} "${label.text}" has a second name`;
      report({ code: "unexpected-label", span, message });
    }
    const first = named.get(label.text);
    if (first === undefined) {
      named.set(label.text, item);
      continue;
    }
    const { file, line } = positionOf(first.headerSpan);
    const message = `${subject}there is a second ${kind} "${label.text}"`;
    const hint = `the first is at ${file}:${line}`;
    report({ code: "duplicate-name", span: item.headerSpan, message, hint });
  }
  return [...named];
}

/** Whether a block has a label that can be its name. */
export function hasName({ labels: [label] }: Block): boolean {
  return label !== undefined && label.text !== "";
}

/** The blocks called `name`, at most `most`. */
export function findBlocks(
  body: Body,
  name: string,
  most: number,
  context: ReadContext,
): readonly Block[] {
  const found = body.blocks.filter((b) => b.type === name);
  for (const { labels: [label] } of found) {
    if (label === undefined) continue;
    const message = `${context.subject}: ${name} takes no label`;
    context.report({ code: "unexpected-label", span: label.span, message });
  }
  for (const { typeSpan } of found.slice(most)) {
    const message = `${context.subject} has a second block "${name}"`;
    const hint = "one is enough";
    context.report({ code: "duplicate-block", span: typeSpan, message, hint });
  }
  return found.slice(0, most);
}

function readInner<F extends Fields>(
  found: Block,
  name: string,
  fields: F,
  context: ReadContext,
): Values<F> {
  const inner = { ...context, subject: `${context.subject}, ${name}` };
  return readFields(found.body, fields, found.headerSpan, inner);
}
