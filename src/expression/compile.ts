/** Turns a syntax tree into one function: names are resolved and arguments counted once, here. */

import type { ASTNode, BinaryOperator } from "@marcbachmann/cel-js";
import { didYouMean } from "../base/nearest.ts";
import { Failure } from "./failure.ts";
import { TYPE_NAMES } from "./conversions.ts";
import { NAMESPACES } from "./functions.ts";
import { type Items, itemsOf, MACRO_NAMES, MACROS } from "./macros.ts";
import { Meter } from "./meter.ts";
import { call, conditional, elementOf, FAILURE, logical, mapOf } from "./nodes.ts";
import { boolean, negate, not, operand, OPERATORS } from "./operators.ts";
import { type CallNode, type Source, wrongCount } from "./place.ts";
import type { Evaluate, FunctionCall, FunctionDefinition } from "./scope.ts";
import { field, hasElement, nameOf, readable } from "./values.ts";

/** A compiled node. `literal` is the value of one that is the same for every event. */
interface Compiled {
  readonly evaluate: Evaluate;
  readonly literal?: unknown;
}

/** How many nodes of the tree one step runs. */
const NODES_PER_STEP = 2;

/** A call takes as long as several other nodes. */
const NODES_OF_CALL = 8;

/** So does a field of a map that is made. */
const NODES_OF_FIELD = 8;

/** The slots of the macros' variables that a node sees, by name. */
type Locals = ReadonlyMap<string, number>;

/** Compiles one expression. */
export class Compiler {
  /** How many slots `locals` needs. */
  slots = 0;
  /** How many nodes have been compiled, calls counted several times. */
  #nodes = 0;
  /** For what is computed here, once. */
  readonly #meter = new Meter();
  readonly #source: Source;
  readonly #variables: ReadonlySet<string>;
  readonly #functions: ReadonlyMap<string, FunctionDefinition>;

  /** `variables` and `functions` are all that the expression may name. */
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
  compile(node: ASTNode): Evaluate {
    return this.#node(node, new Map()).evaluate;
  }

  #node(node: ASTNode, locals: Locals): Compiled {
    this.#nodes++;
    switch (node.op) {
      case "value":
        return this.#constant(node.args);
      case "id":
        return this.#identifier(node, node.args, locals);
      case ".":
        return this.#field(node.args[0], node.args[1], locals);
      case "[]":
        return this.#element(node.args, locals);
      case "call":
        return this.#call(node, node.args[0], node.args[1], locals);
      case "rcall":
        return this.#method(node, node.args, locals);
      case "list":
        return this.#list(node.args, locals);
      case "map":
        return this.#map(node, node.args, locals);
      case "?:":
        return this.#conditional(node.args, locals);
      case "&&":
      case "||":
        return this.#logical(node.op, node.args, locals);
      case "!_":
        return this.#unary(node, node.args, not, locals);
      case "-_":
        return this.#unary(node, node.args, negate, locals);
      case ".?":
      case "[?]":
        throw this.#source.problem(
          node,
          "optional access is not needed: a missing field reads as null",
        );
      default:
        return this.#binary(node, node.op, node.args, locals);
    }
  }

  #constant(value: unknown): Compiled {
    // The one literal that is an object of the library, `5u`, is an int like any other.
    const literal = typeof value === "object" && value !== null && !(value instanceof Uint8Array)
      ? BigInt(String(value))
      : value;
    return { evaluate: () => literal, literal };
  }

  #identifier(node: ASTNode, name: string, locals: Locals): Compiled {
    const slot = locals.get(name);
    if (slot !== undefined) return { evaluate: (_scope, values) => values[slot] };
    if (this.#variables.has(name)) return { evaluate: (scope) => readable(scope[name]) };
    if (name === "context" && this.#variables.has("client")) {
      return { evaluate: (scope) => ({ params: field(scope.client, "params") }) };
    }
    if (TYPE_NAMES.has(name)) return this.#constant(name);
    const known = [...locals.keys(), ...this.#variables];
    const hint = didYouMean(name, known);
    throw this.#source.problem(node, `unknown variable "${name}"`, { hint });
  }

  #field(object: ASTNode, name: string, locals: Locals): Compiled {
    const { evaluate } = this.#node(object, locals);
    return { evaluate: (scope, values, meter) => field(evaluate(scope, values, meter), name) };
  }

  #element([object, key]: [ASTNode, ASTNode], locals: Locals): Compiled {
    const of = this.#node(object, locals).evaluate;
    const at = this.#node(key, locals).evaluate;
    return { evaluate: elementOf(of, at) };
  }

  #list(nodes: readonly ASTNode[], locals: Locals): Compiled {
    this.#nodes += nodes.length;
    const items = nodes.map((node) => this.#node(node, locals).evaluate);
    return { evaluate: (scope, values, meter) => items.map((item) => item(scope, values, meter)) };
  }

  #map(node: ASTNode, nodes: readonly [ASTNode, ASTNode][], locals: Locals): Compiled {
    const name = this.#source.guard(node, (meter, key) => {
      if (key !== null && typeof key !== "object") return nameOf(meter, key);
      throw new Failure("a map's key is a string, a number, true or false");
    });
    this.#nodes += NODES_OF_FIELD * nodes.length;
    const entries = nodes.map(([key, value]) => ({
      key: this.#node(key, locals).evaluate,
      value: this.#node(value, locals).evaluate,
    }));
    return { evaluate: mapOf(entries, name) };
  }

  #conditional([test, yes, no]: [ASTNode, ASTNode, ASTNode], locals: Locals): Compiled {
    const condition = this.#boolean("the condition of ?:", test, locals);
    const whenTrue = this.#node(yes, locals).evaluate;
    const whenFalse = this.#node(no, locals).evaluate;
    return { evaluate: conditional(condition, whenTrue, whenFalse) };
  }

  #logical(operator: "&&" | "||", [a, b]: [ASTNode, ASTNode], locals: Locals): Compiled {
    const left = this.#boolean(`"${operator}"`, a, locals);
    const right = this.#boolean(`"${operator}"`, b, locals);
    return { evaluate: logical(left, right, operator === "||") };
  }

  #unary(node: ASTNode, operand: ASTNode, act: FunctionCall, locals: Locals): Compiled {
    const { evaluate, literal } = this.#node(operand, locals);
    const run = this.#source.guard(node, act);
    if (literal !== undefined) return this.#constant(this.#once(node, run, literal));
    return { evaluate: call(run, [evaluate]) };
  }

  #binary(
    node: ASTNode,
    operator: BinaryOperator,
    [a, b]: [ASTNode, ASTNode],
    locals: Locals,
  ): Compiled {
    const left = this.#node(a, locals);
    const right = this.#node(b, locals);
    const run = this.#source.guard(node, OPERATORS[operator]);
    // Two literals are computed now, so that what can never work is found now too.
    if (left.literal !== undefined && right.literal !== undefined) {
      return this.#constant(this.#once(node, run, left.literal, right.literal));
    }
    const literal = operand(operator, right.literal);
    const first = left.evaluate;
    return literal === undefined
      ? { evaluate: call(run, [first, right.evaluate]) }
      : { evaluate: (scope, values, meter) => run(meter, first(scope, values, meter), literal) };
  }

  /** Runs what is the same for every event. */
  #once(node: ASTNode, run: FunctionCall, ...values: unknown[]): unknown {
    try {
      return run(this.#meter, ...values);
    } catch (error) {
      throw this.#source.failed(error, node);
    }
  }

  #method(node: CallNode, [name, receiver, args]: [string, ASTNode, ASTNode[]], locals: Locals) {
    if (
      receiver.op === "id" && NAMESPACES.has(receiver.args) && !locals.has(receiver.args) &&
      !this.#variables.has(receiver.args)
    ) {
      return this.#call(node, `${receiver.args}.${name}`, args, locals);
    }
    const macro = MACROS.get(`${name}/${args.length}`);
    if (macro !== undefined) {
      const of = this.#node(receiver, locals).evaluate;
      const [variable, ...bodies] = args;
      const slot = this.slots++;
      const inner = new Map(locals).set(this.#source.variableName(variable), slot);
      const items = this.#source.guard(receiver, itemsOf);
      const list: Items = (scope, values, meter) =>
        items(meter, of(scope, values, meter)) as readonly unknown[];
      const before = this.#nodes;
      const compiled = bodies.map((body, i) =>
        i < macro.predicates
          ? this.#boolean(`${name}()`, body, inner)
          : this.#node(body, inner).evaluate
      );
      const steps = Math.ceil(1 + (this.#nodes - before) / NODES_PER_STEP);
      return { evaluate: macro.expand({ list, slot, steps, failure: FAILURE }, compiled) };
    }
    return this.#call(node, name, [receiver, ...args], locals);
  }

  #call(node: CallNode, name: string, args: readonly ASTNode[], locals: Locals): Compiled {
    if (name === "has" && args.length === 1) return this.#has(args[0], locals);
    if (name === "cel.bind" && args.length === 3) return this.#bind(args, locals);
    const definition = this.#functions.get(name);
    if (definition === undefined) throw this.#unknownFunction(node, name);
    this.#nodes += NODES_OF_CALL;
    const wrong = wrongCount(node, name, definition, args.length);
    if (wrong !== undefined) throw this.#source.problem(node, wrong);
    const compiled = args.map((arg) => this.#node(arg, locals));
    const literals = compiled.map(({ literal }) => literal);
    const prepared = this.#once(node, () => definition.prepare?.(literals)) as
      | FunctionCall
      | undefined;
    const run = this.#source.guard(node, prepared ?? definition.call);
    return { evaluate: call(run, compiled.map(({ evaluate }) => evaluate)) };
  }

  #unknownFunction(node: CallNode, name: string): Error {
    if (MACRO_NAMES.includes(name)) {
      return this.#source.problem(node, `${name}() has a wrong number of arguments`);
    }
    const hint = didYouMean(name, [...this.#functions.keys(), ...MACRO_NAMES]);
    return this.#source.problem(
      this.#source.nameOf(node, name),
      `unknown function "${name}"`,
      { hint },
    );
  }

  /** `has(a.b)` and `has(a["b"])`. */
  #has(node: ASTNode, locals: Locals): Compiled {
    if (node.op !== "." && node.op !== "[]") {
      throw this.#source.problem(node, "has() needs a field, as in has(input.text)");
    }
    const of = this.#node(node.args[0], locals).evaluate;
    const key = node.args[1];
    const at = typeof key === "string" ? () => key : this.#node(key, locals).evaluate;
    return {
      evaluate: (scope, values, meter) =>
        hasElement(meter, of(scope, values, meter), at(scope, values, meter)),
    };
  }

  /** `cel.bind(name, value, expression)`. */
  #bind([variable, value, body]: readonly ASTNode[], locals: Locals): Compiled {
    const bound = this.#node(value, locals).evaluate;
    const slot = this.slots++;
    const inner = new Map(locals).set(this.#source.variableName(variable), slot);
    const { evaluate } = this.#node(body, inner);
    return {
      evaluate: (scope, values, meter) => {
        values[slot] = bound(scope, values, meter);
        return evaluate(scope, values, meter);
      },
    };
  }

  /** A node whose value must be true or false. */
  #boolean(what: string, node: ASTNode, locals: Locals): Evaluate {
    const { evaluate } = this.#node(node, locals);
    const check = this.#source.guard(node, (_meter, value) => boolean(what, value));
    return (scope, values, meter) => {
      const value = evaluate(scope, values, meter);
      return typeof value === "boolean" ? value : check(meter, value);
    };
  }
}
