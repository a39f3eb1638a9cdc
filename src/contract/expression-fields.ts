/** The words of a block's schema that are expressions. They are compiled as the block is read. */
import { type Attribute, itemPlaceOf, lineOf, type Span } from "../hcl/tree.ts";
import { ExpressionError } from "../base/errors.ts";
import { compileExpression, type Expression, isExpression } from "../expression/mod.ts";
import {
  type About,
  attribute,
  type Field,
  findAttribute,
  findBlocks,
  type ReadContext,
} from "./fields.ts";
import { didYouMean } from "../base/nearest.ts";
import { hintOfVariable, quoteHint } from "./expression-hints.ts";
import { text } from "./value-schema.ts";

/** An expression in quotes. `variables` come on top of those of its flow. */
export function expression(
  options: About & { readonly variables?: readonly string[] },
): Field<Expression | undefined> {
  return {
    kind: "attribute",
    about: options.about,
    required: false,
    type: "expression",
    read(body, name, owner, context) {
      const found = findAttribute(body, name, owner, false, context);
      return found && compile(found, [...context.variables, ...options.variables ?? []], context);
    },
  };
}

/** A name, or an expression where the text mentions a variable. */
export function target(options: About): Field<string | Expression | undefined> {
  const inner = attribute(text(), options);
  return {
    ...inner,
    type: "name or expression",
    read(body, name, owner, context) {
      const found = findAttribute(body, name, owner, false, context);
      if (found === undefined) return undefined;
      return typeof found.value === "string" && isExpression(found.value, context.variables)
        ? compile(found, context.variables, context)
        : inner.read(body, name, owner, context);
    },
  };
}

/** Named expressions: an object of quoted expressions, such as `params = { id = "input.id" }`. */
export function expressionMap(
  options: About,
): Field<Readonly<Record<string, Expression>> | undefined> {
  return {
    kind: "attribute",
    about: options.about,
    required: false,
    type: "object of expressions",
    read(body, name, owner, context) {
      const found = findAttribute(body, name, owner, false, context);
      if (found === undefined) return undefined;
      const { value } = found;
      if (typeof value !== "object" || value === null || Array.isArray(value)) {
        const message = `${context.subject}: ${name} must be an object`;
        const hint = 'such as { id = "input.id" }, for :id in a query';
        context.report({ code: "invalid-value", span: found.valueSpan, message, hint });
        return undefined;
      }
      const compiled = Object.entries(value).map(([key, source]) => {
        const place = itemPlaceOf(value, key) ?? { valueSpan: found.valueSpan, verbatim: false };
        const item = { name: `${name}.${key}`, value: source, ...place };
        return [key, compile(item, context.variables, context)] as const;
      });
      // Half a map would only cause problems about what is missing.
      return compiled.every(isCompiled) ? Object.fromEntries(compiled) : undefined;
    },
  };
}

function isCompiled(
  entry: readonly [string, Expression | undefined],
): entry is readonly [string, Expression] {
  return entry[1] !== undefined;
}

/** A block whose attributes are all expressions, in the order written. */
export function expressions(
  options: About & { readonly variables?: readonly string[] },
): Field<readonly (readonly [string, Expression])[] | undefined> {
  return {
    kind: "block",
    about: options.about,
    required: false,
    type: "expressions",
    read(body, name, _owner, context) {
      const [found] = findBlocks(body, name, 1, context);
      if (found === undefined) return undefined;
      const variables = [...context.variables, ...options.variables ?? []];
      for (const inner of found.body.blocks) {
        const message = `${context.subject}: ${name} has no blocks`;
        context.report({ code: "unknown-block", span: inner.typeSpan, message });
      }
      const { attributes } = found.body;
      return attributes.flatMap((item, index) => {
        const above = attributes.slice(0, index).map(({ name }) => name);
        const label = `${name}: ${item.name}`;
        const compiled = item.failed
          ? undefined
          : compile(item, variables, context, { label, above });
        return compiled ? [[item.name, compiled] as const] : [];
      });
    },
  };
}

/** What is compiled: an attribute or an entry of an object. */
type Written = Pick<Attribute, "name" | "value" | "valueSpan" | "verbatim">;

/**
 * Compiles the text of an attribute; reports a failure at its place inside the text. `label` is
 * what the place of the expression calls it, `above` the lines before it.
 */
function compile(
  written: Written,
  variables: readonly string[],
  context: ReadContext,
  { label = written.name, above = [] }: {
    readonly label?: string;
    readonly above?: readonly string[];
  } = {},
): Expression | undefined {
  const { name, value, valueSpan, verbatim } = written;
  const { subject, env, now, randomBytes, hints = {}, report, onExpression } = context;
  if (typeof value !== "string") {
    const message = `${subject}: ${name} must be an expression in quotes`;
    const { file, start, end } = valueSpan;
    // What is computed may be a secret.
    const isShown = !/\b(?:env|file|constants)\b/.test(file.text.slice(start, end));
    const hint = isShown ? quoteHint(value, (text) => isCompilable(text, variables)) : undefined;
    report({ code: "invalid-value", span: valueSpan, message, hint });
    return undefined;
  }
  const place = placeOf(valueSpan, subject, label);
  try {
    const compiled = compileExpression(value, variables, { env, now, randomBytes, place });
    checkConstants(compiled, written, context);
    onExpression?.(compiled, valueSpan);
    return compiled;
  } catch (error) {
    if (!(error instanceof ExpressionError)) throw error;
    const inside = valueSpan.start + 1;
    const span = verbatim
      ? {
        ...valueSpan,
        start: inside + error.start,
        end: inside + Math.max(error.end, error.start + 1),
      }
      : valueSpan;
    const code = error.code === "expression-failed" ? "invalid-expression" : error.code;
    const named = value.slice(error.start, error.end);
    const elsewhere = Object.hasOwn(hints, named)
      ? hints[named]
      : hintOfVariable(named, variables, above);
    const hint = code === "unknown-variable" ? elsewhere ?? error.hint : error.hint;
    report({ code, span, message: `${subject}: ${name}: ${error.message}`, hint });
    return undefined;
  }
}

function isCompilable(text: string, variables: readonly string[]): boolean {
  try {
    compileExpression(text, variables);
    return true;
  } catch {
    return false;
  }
}

/** A place as the errors of events name it: file, line, block and attribute. */
export function placeOf(span: Span, subject: string, label: string): string {
  return `${span.file.path}:${lineOf(span)} (${subject}, ${label})`;
}

/** Reports a constant that does not exist: it would always be null. */
function checkConstants(
  { paths, source }: Expression,
  { name, valueSpan, verbatim }: Written,
  { subject, constants, report }: ReadContext,
): void {
  for (const path of paths) {
    const [variable, constant] = path.split(".");
    if (variable !== "constants" || constant === undefined) continue;
    if (constants === undefined || constants.includes(constant)) continue;
    const text = `constants.${constant}`;
    const at = verbatim ? source.indexOf(text) : -1;
    const start = valueSpan.start + 1 + at;
    const span = at < 0 ? valueSpan : { ...valueSpan, start, end: start + text.length };
    const message = `${subject}: ${name}: there is no constant "${constant}"`;
    const hint = didYouMean(constant, constants) ?? `add constants { ${constant} = … }`;
    report({ code: "unknown-constant", span, message, hint });
  }
}
