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
import { resolvePath } from "../base/path.ts";
import { keepPlaces, meantBy, misspelledOf, Places, strangersOf } from "./places.ts";
import type { ReadContext } from "./read-context.ts";
import { text, type ValueSchema } from "./value-schema.ts";

export type { ReadContext } from "./read-context.ts";

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

/** How a block is described. */
export interface AboutBlock extends About {
  /** What to do where there are two of it. */
  readonly twice?: string;
  /** The hints for names that others have for its fields. */
  elsewhere?(body: Body): ReadonlyMap<string, string>;
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
      : elsewhere?.get(name) ?? suggestion(name, names) ??
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

function suggestion(name: string, names: readonly string[]): string | undefined {
  const meant = meantBy(name, names);
  return meant === undefined ? undefined : `did you mean "${meant}"?`;
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
export function block<F extends Fields>(
  fields: F,
  options: AboutBlock,
): Field<Values<F> | undefined> {
  const { twice, elsewhere } = options;
  return {
    kind: "block",
    about: options.about,
    required: false,
    type: "block",
    fields,
    read(body, name, _owner, context) {
      const [found] = findBlocks(body, name, 1, context, twice);
      return found && readInner(found, name, fields, context, elsewhere?.(found.body));
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
      const written = item.body.attributes.find(({ name }) => name === "name")?.value;
      const name = typeof written === "string" ? written : "name";
      const hint = `write it as ${kind} ${JSON.stringify(name)} { … }`;
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
    const hint = `the first is at ${file}:${line}; give one of them another name`;
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
  twice = "one is enough",
): readonly Block[] {
  const found = body.blocks.filter((b) => b.type === name);
  for (const { labels: [label] } of found) {
    if (label === undefined) continue;
    const message = `${context.subject}: ${name} takes no label`;
    context.report({ code: "unexpected-label", span: label.span, message });
  }
  for (const { typeSpan } of found.slice(most)) {
    const message = `${context.subject} has a second block "${name}"`;
    context.report({ code: "duplicate-block", span: typeSpan, message, hint: twice });
  }
  return found.slice(0, most);
}

function readInner<F extends Fields>(
  found: Block,
  name: string,
  fields: F,
  context: ReadContext,
  elsewhere?: ReadonlyMap<string, string>,
): Values<F> {
  const inner = { ...context, subject: `${context.subject}, ${name}` };
  return readFields(found.body, fields, found.headerSpan, inner, elsewhere);
}
