/** Warns, in `*.mycel` files, about what both languages accept and understand differently. */
import type { Span } from "../../hcl/tree.ts";
import { named, type PlacedFlow, type Surroundings } from "./flow.ts";

/** The fields of an answer that Mycel does not send as data. */
const SPECIAL: readonly string[] = [
  ...["http_status_code", "grpc_status_code", "_binary", "_content_type", "_filename"],
];

/** What to write for a method whose operation Mycel infers. */
const INSTEAD: Readonly<Record<string, string>> = {
  GET: 'read the rows in a step with a query: step "rows" { … }',
  PUT: 'write operation = "UPDATE" and key = "id"',
  PATCH: 'write operation = "UPDATE" and key = "id"',
  DELETE: 'write operation = "DELETE" and key = "id"',
};

/** What is different, and what to do about it. */
interface Difference {
  readonly span: Span;
  readonly message: string;
  readonly hint: string;
}

/** Warns about the differences between Mycel and Weir that a flow meets. */
export function warnOfMycel(flow: PlacedFlow, surroundings: Surroundings): void {
  if (!flow.places.header.file.path.endsWith(".mycel")) return;
  const differences = [
    ...inserts(flow, surroundings),
    ...targets(flow, surroundings),
    ...patterns(flow, surroundings),
    ...refusals(flow, surroundings),
    ...answers(flow),
  ];
  for (const difference of differences) {
    surroundings.report({ code: "mycel-difference", severity: "warning", ...difference });
  }
}

/** Destinations whose operation Mycel takes from the method of the request. */
function inserts({ model, requests }: PlacedFlow, { connectors }: Surroundings): Difference[] {
  const { source } = model;
  if (source.kind === "schedule" || connectors.get(source.connector)?.type !== "rest") return [];
  const [method = ""] = source.operation?.split(" ") ?? [];
  const hint = INSTEAD[method];
  if (hint === undefined) return [];
  return requests.filter(({ kind }) => kind === "to").flatMap(({ request, subject, places }, i) => {
    const { operation, connector } = request;
    const isOpen = connectors.get(connector)?.type === "database" && operation === undefined;
    if (!isOpen || !model.to[i].creates) return [];
    const message = `${subject} inserts a row for each ${method}; Mycel takes the operation from ` +
      "the method";
    return [{ span: places.header, message, hint }];
  });
}

/** Tables whose names are statements in Mycel, such as `INSERT orders` and `orders WHERE id = :id`. */
function targets({ requests }: PlacedFlow, { connectors }: Surroundings): Difference[] {
  return requests.flatMap(({ request, subject, places }) => {
    const { connector, target } = request;
    if (connectors.get(connector)?.type !== "database" || typeof target !== "string") return [];
    if (!/\s/.test(target)) return [];
    const message = `${subject}: the target is the name of a table, "${target}"; Mycel reads a ` +
      "statement there";
    const hint = 'write a query, or an operation such as "INSERT" and the name alone';
    return [{ span: places.of("target"), message, hint }];
  });
}

/** The operation `*`, which is every message in Mycel. */
function patterns(flow: PlacedFlow, surroundings: Surroundings): Difference[] {
  const connector = brokerOf(flow, surroundings);
  const from = flow.places.block("from");
  const operation = from?.body.attributes.find(({ name }) => name === "operation");
  if (connector === undefined || operation?.value !== "*") return [];
  // There it is a glob.
  if ((connector.options as { readonly driver?: unknown }).driver === "redis") return [];
  const meaning = connector.type === "mqtt" ? "is the name of a topic" : "is one word";
  const message =
    `flow "${flow.model.name}": the operation "*" of ${named(connector)} ${meaning}; ` +
    "Mycel takes every message";
  return [{ span: operation.valueSpan, message, hint: "leave it out for every message" }];
}

/** The connector of a flow that takes messages. */
function brokerOf({ model: { source } }: PlacedFlow, { connectors }: Surroundings) {
  const connector = source.kind === "schedule" ? undefined : connectors.get(source.connector);
  return ["mq", "mqtt"].includes(connector?.type ?? "") ? connector : undefined;
}

/** An `accept` whose default is another one in Mycel. */
function refusals(flow: PlacedFlow, surroundings: Surroundings): Difference[] {
  const connector = brokerOf(flow, surroundings);
  const block = flow.places.block("accept");
  if (connector === undefined || block === undefined) return [];
  if (block.body.attributes.some(({ name }) => name === "on_reject")) return [];
  const message =
    `flow "${flow.model.name}": accept rejects messages of ${named(connector)}; Mycel ` +
    "acknowledges them";
  return [{ span: block.typeSpan, message, hint: 'write on_reject = "ack" or "reject"' }];
}

/** Fields of an answer that set its status or its form in Mycel. */
function answers({ model, places }: PlacedFlow): Difference[] {
  const written = places.block("response")?.body.attributes ?? [];
  return written.filter(({ name }) => SPECIAL.includes(name)).map(({ name, nameSpan }) => ({
    span: nameSpan,
    message: `flow "${model.name}", response: ${name} is a field of the answer; Mycel does not ` +
      "send it as data",
    hint: "a reject has a status; an answer without one has 200, 201 or 204, and is JSON",
  }));
}
