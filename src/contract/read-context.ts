/** What the fields of a block are read with. */
import type { Expression } from "../expression/mod.ts";
import type { Body, Report, Span } from "../hcl/tree.ts";
import type { DataType } from "../type/mod.ts";
import type { LookupModel } from "./request.ts";

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
  /** For the field `dataType`: the `type` block of a name. Reports a name that none has. */
  dataType?(
    name: string,
    place: { readonly span: Span; readonly subject: string },
  ): DataType | undefined;
  /** For the field `lookups`: blocks that can only be read once all connectors are known. */
  lookups?(body: Body, name: string, context: ReadContext): readonly LookupModel[];
  /** The fields that this block has under a wrong name; that has been reported. */
  readonly misspelled?: ReadonlySet<string> | undefined;
  /** Takes a problem. */
  readonly report: Report;
}
