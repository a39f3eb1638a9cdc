/** Turns the structure of parsed files into one tree with evaluated values. */

import type { Problem } from "../base/problem.ts";
import { Budget, extentOf } from "./limits.ts";
import {
  Constants,
  limited,
  type Node,
  type ReadOptions,
  spend,
  ValueFailure,
  type ValueScope,
} from "./scope.ts";
import { isVerbatim, plainLiteral } from "./literals.ts";
import type { RawAttribute, RawBlock, RawBody } from "./structure.ts";
import { type Attribute, type Block, type Body, positionOf, problemAt, type Span } from "./tree.ts";
import { evaluate } from "./value.ts";

/** A file without syntax errors. */
export interface ParsedFile {
  /** Its items. */
  readonly body: RawBody;
  /** The values that are more than a literal. */
  readonly expressions: ReadonlyMap<RawAttribute, ParsedValue>;
}

/** A parsed value. */
export interface ParsedValue {
  /** Its syntax tree. */
  readonly node: Node;
  /** From byte offsets in the syntax tree to offsets of the file's text. */
  readonly offset: ValueScope["offset"];
}

/** Evaluates the values of all files of one configuration. */
export class Evaluation {
  /** All of them, once `merge` is done. */
  readonly constants: Constants;
  /** What could not be evaluated so far. */
  readonly problems: Problem[] = [];
  readonly #options: ReadOptions;
  readonly #budget = new Budget();
  readonly #kinds: readonly string[] | undefined;

  /**
   * `moreConstants` is true where constants may be declared that could not be read. Of blocks at the
   * top level whose kind is not in `kinds` the values are not read.
   */
  constructor(
    options: ReadOptions,
    { moreConstants, kinds }: {
      readonly moreConstants: boolean;
      readonly kinds: readonly string[] | undefined;
    },
  ) {
    this.#options = options;
    this.#kinds = kinds;
    this.constants = new Constants(moreConstants);
  }

  /** One body of all files' items; `span` is its place. */
  async merge(files: readonly ParsedFile[], span: Span): Promise<Body> {
    const constantBlocks = await this.#constantBlocks(files);
    const attributes: Attribute[] = [];
    const blocks: Block[] = [];
    for (const file of files) {
      for (const raw of file.body.attributes) {
        attributes.push(await this.#attribute(raw, file, raw.name, false));
      }
      for (const raw of file.body.blocks) {
        blocks.push(constantBlocks.get(raw) ?? await this.#topLevel(raw, file));
      }
    }
    return { attributes, blocks, span };
  }

  /** Constants come first, since every other value may name them. */
  async #constantBlocks(files: readonly ParsedFile[]): Promise<Map<RawBlock, Block>> {
    const pairs = files.flatMap((file) =>
      file.body.blocks.filter(isConstants).map((raw) => ({ raw, file }))
    );
    const owners = new Set<RawAttribute>();
    for (const { raw } of pairs) this.#declare(raw, owners);
    const blocks = new Map<RawBlock, Block>();
    for (const { raw, file } of pairs) {
      const attributes: Attribute[] = [];
      for (const rawAttribute of raw.body.attributes) {
        const attribute = await this.#attribute(rawAttribute, file, "constants", false);
        attributes.push(attribute);
        if (owners.has(rawAttribute)) this.constants.define(attribute);
      }
      blocks.set(raw, { ...raw, body: { attributes, blocks: [], span: raw.body.span } });
    }
    return blocks;
  }

  /** Notes the names of one block; `owners` collects the attributes that own their name. */
  #declare(block: RawBlock, owners: Set<RawAttribute>): void {
    for (const attribute of block.body.attributes) {
      const first = this.constants.declare(attribute.name, attribute.nameSpan);
      if (first === undefined) owners.add(attribute);
      else {
        const { file, line } = positionOf(first);
        const message = `the constant "${attribute.name}" already exists at ${file}:${line}`;
        this.problems.push(
          problemAt({ code: "duplicate-name", span: attribute.nameSpan, message }),
        );
      }
    }
    for (const { headerSpan, type } of block.body.blocks) {
      const message = `constants: "${type}" is a block, and a constant is a value`;
      const hint = `write it as ${type} = { … }`;
      this.problems.push(problemAt({ code: "unknown-block", span: headerSpan, message, hint }));
    }
  }

  async #topLevel(raw: RawBlock, file: ParsedFile): Promise<Block> {
    if (this.#kinds?.includes(raw.type) === false) {
      return { ...raw, body: { attributes: [], blocks: [], span: raw.body.span } };
    }
    const owner = [raw.type, ...raw.labels.map(({ text }) => JSON.stringify(text))].join(" ");
    return await this.#block(raw, file, owner, raw.type === "type");
  }

  async #block(raw: RawBlock, file: ParsedFile, owner: string, calls: boolean): Promise<Block> {
    const attributes: Attribute[] = [];
    for (const attribute of raw.body.attributes) {
      attributes.push(await this.#attribute(attribute, file, owner, calls));
    }
    const blocks: Block[] = [];
    for (const block of raw.body.blocks) {
      blocks.push(await this.#block(block, file, owner, calls));
    }
    return { ...raw, body: { attributes, blocks, span: raw.body.span } };
  }

  async #attribute(
    raw: RawAttribute,
    { expressions }: ParsedFile,
    owner: string,
    keepCalls: boolean,
  ): Promise<Attribute> {
    const { file, start, end } = raw.valueSpan;
    const written = file.text.slice(start, end);
    const expression = expressions.get(raw);
    if (expression === undefined) {
      return { ...raw, value: plainLiteral(written)?.value, verbatim: isVerbatim(written) };
    }
    const { constants } = this;
    const budget = this.#budget;
    const { node, offset } = expression;
    try {
      const scope = { file, owner, offset, constants, keepCalls, budget, ...this.#options };
      const value = await evaluate(node, scope, node);
      // Constants count wherever they are named: what reads a value goes through all of it.
      spend(extentOf(limited(value, node, scope)).size, node, scope);
      return { ...raw, value, verbatim: false };
    } catch (error) {
      if (!(error instanceof ValueFailure)) throw error;
      this.problems.push(...error.problems);
      return { ...raw, value: undefined, verbatim: false, failed: true };
    }
  }
}

function isConstants(block: RawBlock): boolean {
  return block.type === "constants";
}
