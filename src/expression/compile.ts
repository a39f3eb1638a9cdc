/** Compiles a syntax tree into one function. Names are resolved and arguments counted here, once. */

import { didYouMean } from "../base/nearest.ts";
import { TYPE_NAMES } from "./conversions.ts";
import { Failure, KindFailure } from "./failure.ts";
import { NAMESPACES } from "./functions.ts";
import { type Items, type Macro, MACRO_NAMES, MACROS } from "./macros.ts";
import { Meter } from "./meter.ts";
import { call, conditional, distinct, elementOf, logical, mapOf } from "./nodes.ts";
import { boolean, negate, not, operand, OPERATORS } from "./operators.ts";
import type { Evaluate, FunctionCall, FunctionDefinition } from "./scope.ts";
import { type Source, wrongCount } from "./source.ts";
import type { CallNode, Entry, SyntaxNode } from "./syntax.ts";
import { field, hasElement, isKey, nameOf, readable, refuseKey } from "./values.ts";

/** A compiled node. `literal` is its value where that is the same for every event. */
interface Compiled {
  readonly evaluate: Evaluate;
  readonly literal?: unknown;
}

/** How many nodes of the tree one step runs. */
const NODES_PER_STEP = 2;

/** A call takes as long as this number of other nodes. */
const NODES_OF_CALL = 8;

/** So does making a field of a map. */
const NODES_OF_FIELD = 8;

/** The slots of the macros' variables that a node sees, by name. */
type Locals = ReadonlyMap<string, number>;

/** Compiles one expression. */
export class Compiler {
  /** How many slots `locals` needs. */
  slots = 0;
  /** How many nodes have been compiled, with a call counted as several. */
  #nodes = 0;
  /** Above 0 inside an operand of `&&` or `||`, whose failure may not count. */
  #forgiving = 0;
  /** For what is computed here, once. */
  readonly #meter = new Meter();
  readonly #source: Source;
  readonly #variables: ReadonlySet<string>;
  readonly #functions: ReadonlyMap<string, FunctionDefinition>;

  /** `variables` and `functions` are all names that the expression may use. */
  constructor(
    source: Source,
    variables: Iterable<string>,
    functions: ReadonlyMap<string, FunctionDefinition>,
  ) {
    this.#source = source;
    this.#variables = new Set(variables);
    this.#functions = functions;
  }

  /** Throws an ExpressionError for unknown names, wrong numbers of arguments and the like. */
  compile(node: SyntaxNode): Evaluate {
    return this.#node(node, new Map()).evaluate;
  }

  #node(node: SyntaxNode, locals: Locals): Compiled {
    this.#nodes++;
    switch (node.kind) {
      case "literal":
        return this.#constant(node.value);
      case "name":
        return this.#name(node, node.name, locals);
      case "field": {
        const { evaluate } = this.#node(node.object, locals);
        const { name } = node;
        return { evaluate: (scope, values, meter) => field(evaluate(scope, values, meter), name) };
      }
      case "element": {
        const of = this.#node(node.object, locals).evaluate;
        const refuse = this.#source.guard(node.key, refuseKey);
        return { evaluate: elementOf(of, this.#node(node.key, locals).evaluate, refuse) };
      }
      case "call":
        return this.#call(node, locals);
      case "list":
        return this.#list(node.items, locals);
      case "map":
        return this.#map(node, node.entries, locals);
      case "conditional": {
        const condition = this.#boolean("the condition of ?:", node.test, locals);
        const yes = this.#node(node.yes, locals).evaluate;
        return { evaluate: conditional(condition, yes, this.#node(node.no, locals).evaluate) };
      }
      case "logical": {
        this.#forgiving++;
        const left = this.#boolean(`"${node.operator}"`, node.left, locals);
        const right = this.#boolean(`"${node.operator}"`, node.right, locals);
        this.#forgiving--;
        return { evaluate: logical(left, right, node.operator === "||") };
      }
      case "unary":
        return this.#operator(node, node.operator === "!" ? not : negate, [
          this.#node(node.operand, locals),
        ]);
      case "binary":
        return this.#operator(node, OPERATORS[node.operator], [
          this.#node(node.left, locals),
          this.#node(node.right, locals),
        ]);
    }
  }

  #constant(literal: unknown): Compiled {
    return { evaluate: () => literal, literal };
  }

  #name(node: SyntaxNode, name: string, locals: Locals): Compiled {
    const slot = locals.get(name);
    if (slot !== undefined) return { evaluate: (_scope, values) => values[slot] };
    if (this.#variables.has(name)) return { evaluate: (scope) => readable(scope[name]) };
    if (name === "context" && this.#variables.has("client")) {
      return { evaluate: (scope) => ({ params: field(scope.client, "params") }) };
    }
    if (TYPE_NAMES.has(name)) return this.#constant(name);
    const known = [...locals.keys(), ...this.#variables];
    const hint = didYouMean(name, known);
    const message = `unknown variable "${name}"`;
    throw this.#source.problem(node, message, { code: "unknown-variable", hint });
  }

  #list(nodes: readonly SyntaxNode[], locals: Locals): Compiled {
    this.#nodes += nodes.length;
    const items = nodes.map((node) => this.#node(node, locals).evaluate);
    return { evaluate: (scope, values, meter) => items.map((item) => item(scope, values, meter)) };
  }

  #map(node: SyntaxNode, nodes: readonly Entry[], locals: Locals): Compiled {
    const name = this.#source.guard(
      node,
      (meter, key) => isKey(key) ? nameOf(meter, key) : refuseKey(meter, key),
    );
    this.#nodes += NODES_OF_FIELD * nodes.length;
    const known = new Set<string>();
    const entries = nodes.map(({ key, value }) => {
      const { evaluate, literal } = this.#node(key, locals);
      if (isKey(literal)) {
        if (known.has(String(literal))) {
          throw this.#source.problem(key, `the map has the key "${literal}" twice`);
        }
        known.add(String(literal));
      }
      return { key: evaluate, value: this.#node(value, locals).evaluate };
    });
    const map = mapOf(entries, name);
    if (known.size === nodes.length || nodes.length === 1) return { evaluate: map };
    const check = this.#source.guard(node, (meter, made) => distinct(meter, made, nodes.length));
    return { evaluate: call(check, [map]) };
  }

  /** `operands` are one or two. Literals are computed now, to find now what can never work. */
  #operator(node: SyntaxNode, act: FunctionCall, operands: readonly Compiled[]): Compiled {
    const run = this.#source.guard(node, act);
    const literals = operands.map(({ literal }) => literal);
    if (literals.every((literal) => literal !== undefined)) {
      try {
        return this.#constant(run(this.#meter, ...literals));
      } catch (error) {
        // `false && 1 / 0 > 1` is false. A kind that is wrong is a mistake even there.
        const counts = this.#forgiving === 0 || error instanceof KindFailure;
        if (counts || !(error instanceof Failure)) throw this.#source.failed(error, node);
      }
    }
    const first = operands[0].evaluate;
    const literal = node.kind === "binary" ? operand(node.operator, literals[1]) : undefined;
    if (literal === undefined) return { evaluate: call(run, operands.map((it) => it.evaluate)) };
    return {
      evaluate: (scope, values, meter) => run(meter, first(scope, values, meter), literal),
    };
  }

  #call(node: CallNode, locals: Locals): Compiled {
    const { name, receiver, args } = node;
    if (receiver === undefined) return this.#function(node, name, args, locals);
    if (
      receiver.kind === "name" && NAMESPACES.has(receiver.name) && !locals.has(receiver.name) &&
      !this.#variables.has(receiver.name)
    ) {
      return this.#function(node, `${receiver.name}.${name}`, args, locals);
    }
    const macro = MACROS.get(`${name}/${args.length}`);
    if (macro !== undefined) return this.#macro(name, macro, receiver, args, locals);
    return this.#function(node, name, [receiver, ...args], locals);
  }

  #macro(
    name: string,
    macro: Macro,
    receiver: SyntaxNode,
    args: readonly SyntaxNode[],
    locals: Locals,
  ): Compiled {
    const of = this.#node(receiver, locals).evaluate;
    const slot = this.slots;
    const inner = new Map(locals);
    for (const name of this.#source.variableNames(args.slice(0, macro.variables))) {
      inner.set(name, this.slots++);
    }
    const items = this.#source.guard(receiver, macro.items);
    const list: Items = (scope, values, meter) =>
      items(meter, of(scope, values, meter)) as readonly unknown[];
    const before = this.#nodes;
    const bodies = args.slice(macro.variables).map((body, i) =>
      i < macro.predicates
        ? this.#boolean(`${name}()`, body, inner)
        : this.#node(body, inner).evaluate
    );
    const steps = Math.ceil(1 + (this.#nodes - before) / NODES_PER_STEP);
    const pairs = macro.variables === 2;
    return { evaluate: macro.expand({ list, slot, pairs, steps }, bodies) };
  }

  #function(
    node: CallNode,
    name: string,
    args: readonly SyntaxNode[],
    locals: Locals,
  ): Compiled {
    if (name === "has" && args.length === 1) return this.#has(args[0], locals);
    if (name === "cel.bind" && args.length === 3) return this.#bind(args, locals);
    const definition = this.#functions.get(name);
    if (definition === undefined) throw this.#unknownFunction(node, name);
    this.#nodes += NODES_OF_CALL;
    const wrong = wrongCount(node, name, definition, args.length);
    if (wrong !== undefined) throw this.#source.problem(node, wrong, { code: "wrong-arguments" });
    const compiled = args.map((arg) => this.#node(arg, locals));
    const prepared = this.#prepared(node, definition, compiled.map(({ literal }) => literal));
    const run = this.#source.guard(node, prepared ?? definition.call);
    return { evaluate: call(run, compiled.map(({ evaluate }) => evaluate)) };
  }

  #prepared(node: CallNode, { prepare }: FunctionDefinition, literals: readonly unknown[]) {
    try {
      return prepare?.(literals);
    } catch (error) {
      throw this.#source.failed(error, node);
    }
  }

  #unknownFunction(node: CallNode, name: string): Error {
    if (MACRO_NAMES.includes(name)) {
      const message = `${name}() has a wrong number of arguments`;
      return this.#source.problem(node, message, { code: "wrong-arguments" });
    }
    const hint = didYouMean(name, [...this.#functions.keys(), ...MACRO_NAMES]);
    return this.#source.problem(
      this.#source.nameOf(node, name),
      `unknown function "${name}"`,
      { code: "unknown-function", hint },
    );
  }

  /** `has(a.b)` and `has(a["b"])`. */
  #has(node: SyntaxNode, locals: Locals): Compiled {
    if (node.kind !== "field" && node.kind !== "element") {
      throw this.#source.problem(node, "has() needs a field, as in has(input.text)");
    }
    const of = this.#node(node.object, locals).evaluate;
    const { evaluate: at } = node.kind === "element"
      ? this.#node(node.key, locals)
      : this.#constant(node.name);
    return {
      evaluate: (scope, values, meter) =>
        hasElement(meter, of(scope, values, meter), at(scope, values, meter)),
    };
  }

  /** `cel.bind(name, value, expression)`. */
  #bind([variable, value, body]: readonly SyntaxNode[], locals: Locals): Compiled {
    const bound = this.#node(value, locals).evaluate;
    const slot = this.slots++;
    const [name] = this.#source.variableNames([variable]);
    const inner = new Map(locals).set(name, slot);
    const { evaluate } = this.#node(body, inner);
    return {
      evaluate: (scope, values, meter) => {
        values[slot] = bound(scope, values, meter);
        return evaluate(scope, values, meter);
      },
    };
  }

  /** A node whose value must be true or false. */
  #boolean(what: string, node: SyntaxNode, locals: Locals): Evaluate {
    const { evaluate } = this.#node(node, locals);
    const check = this.#source.guard(node, (_meter, value) => boolean(what, value));
    return (scope, values, meter) => {
      const value = evaluate(scope, values, meter);
      return typeof value === "boolean" ? value : check(meter, value);
    };
  }
}
