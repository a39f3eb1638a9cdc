/** `to` and `fallback` blocks: where a flow's payload goes. */
import type { DestinationModel, EachModel, FallbackModel, RequestModel } from "../../model/mod.ts";
import { expression, placeOf } from "../../contract/expression-fields.ts";
import {
  attribute,
  type Field,
  type Fields,
  findBlocks,
  type ReadContext,
} from "../../contract/fields.ts";
import { Places } from "../../contract/places.ts";
import { requestFields } from "../../contract/step-fields.ts";
import { flag } from "../../contract/value-schema.ts";
import type { Block } from "../../hcl/tree.ts";
import type { Loading } from "../loading.ts";
import { type DestinationNames, isRead, nameDestinations } from "./destination-names.ts";
import { readRequest } from "./request.ts";
import { transformField } from "./transform.ts";

/** The variables of a block with `each`. */
const ELEMENT = ["item", "index"];

/** The attributes of every destination. */
function destinationFields(loading: Loading) {
  return {
    each: eachField(),
    ...requestFields,
    transform: transformField(
      "What this destination gets instead of the payload, line by line; " +
        "with `extend = true` the lines are added to the payload.",
      loading,
    ),
  } satisfies Fields;
}

/** The attributes of a `to` block. */
function toFields(loading: Loading) {
  return {
    ...destinationFields(loading),
    parallel: attribute(flag(), {
      about: "Runs together with neighbours that say so, too.",
      default: false,
    }),
    atomic: attribute(flag(), {
      about: "Is one transaction with neighbours on the same connector that say so, too.",
      default: false,
    }),
  } satisfies Fields;
}

/** The `to` blocks. Each one sees the results of those before it. */
export function destinationsField(
  names: DestinationNames,
  loading: Loading,
): Field<readonly DestinationModel[]> {
  const fields = toFields(loading);
  return {
    kind: "block",
    about: "A destination; several run in the order written. Its connector adds attributes. " +
      'The result of `to "NAME"` is `results.NAME`.',
    type: "blocks",
    required: false,
    fields,
    read(body, kind, _owner, context) {
      const found = body.blocks.filter(({ type }) => type === kind);
      const named = found.some(({ labels }) => labels.length > 0);
      // Without names a target such as "results.new" is no expression, as it always was.
      const all = named ? fields : { ...fields, target: without(["results"], fields.target) };
      const readers: Set<string>[] = [];
      const starts = startsOfGroups(body.blocks, kind);
      // Neighbours that run at the same time do not see each other's results.
      let unseen: string[] = [];
      const blocks = nameDestinations(found, kind, names, context);
      const read = blocks.map(([name, block]): DestinationModel => {
        const together = isParallel(block);
        if (!together || starts.has(block)) {
          unseen.forEach((one) => names.add(one));
          unseen = [];
        }
        const paths = new Set<string>();
        readers.push(paths);
        const called = name === undefined ? kind : `${kind} "${name}"`;
        const inner = within(context, block, called, ["outputs", "results"]);
        const { onExpression } = inner;
        const to = readTo(block, all, {
          ...inner,
          onExpression(expression, span) {
            expression.paths.forEach((path) => paths.add(path));
            onExpression?.(expression, span);
          },
        }, loading);
        if (name === undefined) return to;
        if (together) unseen.push(name);
        else names.add(name);
        return { ...to, name };
      });
      unseen.forEach((one) => names.add(one));
      return read.map((to, i) => ({ ...to, resultUsed: isRead(to, readers.slice(i + 1)) }));
    },
  };
}

/** The destinations that a `reject` divides from those before. */
function startsOfGroups(blocks: readonly Block[], kind: string): ReadonlySet<Block> {
  const starts = new Set<Block>();
  let divided = false;
  for (const block of blocks) {
    if (block.type === "reject") divided = true;
    else if (block.type === kind) {
      if (divided) starts.add(block);
      divided = false;
    }
  }
  return starts;
}

function readTo(
  block: Block,
  fields: ReturnType<typeof toFields>,
  context: ReadContext,
  loading: Loading,
): DestinationModel {
  const { subject, report } = context;
  const read = readRequest(block, fields, "destination", context, loading);
  const { values: { each, transform, parallel, atomic }, creates, places } = read;
  if (parallel && places.has("each")) {
    const message = `${subject} has both "each" and "parallel"`;
    const hint = "keep one of them: each goes through its list in order";
    report({ code: "conflicting-attributes", span: places.nameOf("parallel"), message, hint });
  }
  if (atomic) checkAtomic(read.request, parallel, places, context, loading);
  const request = { ...read.request, each, transform, parallel, atomic, creates };
  loading.onRequest?.({ kind: "to", subject, request, places });
  return request;
}

function checkAtomic(
  { connector }: RequestModel,
  parallel: boolean,
  places: Places,
  { subject, report }: ReadContext,
  { connectors }: Loading,
): void {
  const span = places.nameOf("atomic");
  if (parallel) {
    const message = `${subject} has both "atomic" and "parallel"`;
    const hint = "keep one of them: the writes of a transaction run in order";
    report({ code: "conflicting-attributes", span, message, hint });
  }
  const model = connectors.get(connector);
  const { destination } = model?.definition ?? {};
  if (model === undefined || destination === undefined || destination.transactions) return;
  const message = `connector "${connector}" (${model.type}) has no transactions`;
  report({ code: "no-transactions", span, message, hint: "leave atomic out" });
}

/** The `fallback` block. */
export function fallbackField(loading: Loading): Field<FallbackModel | undefined> {
  const fields = {
    ...destinationFields(loading),
    include_error: attribute(flag(), {
      about: "Adds `error` to the payload: code, message, step, ref and details.",
      default: false,
    }),
  };
  return {
    kind: "block",
    about: "A destination that takes what failed for good; then the event counts as handled.",
    type: "block",
    required: false,
    fields,
    read(body, name, _owner, context) {
      const [found] = findBlocks(body, name, 1, context);
      if (found === undefined) return undefined;
      const inner = within(context, found, name, ["error"]);
      const read = readRequest(found, fields, "destination", inner, loading);
      const { values: { each, transform, include_error: includeError }, creates, places } = read;
      const alone = { parallel: false, atomic: false };
      const request = { ...read.request, ...alone, each, transform, creates, includeError };
      loading.onRequest?.({ kind: "fallback", subject: inner.subject, request, places });
      return request;
    },
  };
}

/** The list that a destination goes through. Its own expression is the only one without `item`. */
function eachField(): Field<EachModel | undefined> {
  const plain = expression({
    about: "A list: the destination runs for each of its items, as `item` and `index`. " +
      "Neighbours with the same list run together.",
  });
  const inner = without(ELEMENT, plain);
  return {
    ...plain,
    read(body, name, owner, context) {
      const list = inner.read(body, name, owner, context);
      if (list === undefined) return undefined;
      return { list, place: placeOf(new Places(body, owner).of(name), context.subject, name) };
    },
  };
}

/** The same field without some of the variables. */
function without<T>(names: readonly string[], field: Field<T>): Field<T> {
  return {
    ...field,
    read(body, name, owner, context) {
      const variables = context.variables.filter((one) => !names.includes(one));
      return field.read(body, name, owner, { ...context, variables });
    },
  };
}

function within(
  context: ReadContext,
  { body, headerSpan }: Block,
  called: string,
  more: readonly string[],
): ReadContext {
  const element = new Places(body, headerSpan).has("each") ? ELEMENT : [];
  const variables = [...context.variables, "output", "payload", ...more, ...element];
  return { ...context, subject: `${context.subject}, ${called}`, variables };
}

function isParallel({ body, headerSpan }: Block): boolean {
  const said = flag().parse(new Places(body, headerSpan).attribute("parallel")?.value);
  return "value" in said && said.value;
}
