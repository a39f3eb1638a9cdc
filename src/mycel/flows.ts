/** The words of Mycel inside of flows. */
import { all, type Places, type Word } from "./words.ts";

const JSON_ONLY: Word = { note: "leave it out: bodies are JSON" };
const NO_NAME: Word = { note: "only `transform` has `use`: write the attributes here" };
const NO_CACHE: Word = {
  note: "Weir has no cache for flows: a `step` reads the data for each event",
};
const NO_GRAPHQL: Word = { note: "Weir has no GraphQL: leave it out" };
const SQL: Word = {
  write: 'operation = "INSERT"',
  note: '`target = "orders"` names the table; `UPDATE`, `DELETE` and `UPSERT` need a `key`',
};

const ENRICH: Word = {
  write: 'step "NAME" { … }',
  note: "the block is in the flow, its result is `step.NAME`, and `params = { … }` is an attribute",
};
const CHANGES: Word = {
  write: 'operation = "INSERT orders"',
  note: "or `UPDATE`, `DELETE` and `*` with the name of one table",
};

/** In `flow` and in the blocks inside of it, and in a `transform` at the top level. */
export const flowWords: Places = {
  transform: { "enrich {}": ENRICH },
  flow: {
    "enrich {}": ENRICH,
    "when {}": {
      write: 'when = "0 3 * * *"',
      note: "the pattern is in the time zone of the process: set TZ for another one",
    },
    "require {}": {
      write: "accept { when = \"'admin' in default(client.claims.roles, [])\" }",
      note: "the claims are those of the token that the connector's `auth` has verified",
    },
    "idempotency {}": {
      write: "dedupe { … }",
      note: "it has `key` and `ttl`; a repeated request gets the first answer",
    },
    "batch {}": {
      write: 'each = "step.rows"',
      note: 'a `step` with `rows = "all"` reads the rows, and `each` is in the `to` that writes ' +
        "them, with `item` for each",
    },
    "async {}": {
      note: "no flow answers before its destinations: publish to an `mq` connector, " +
        "and let a second flow do the work",
    },
    "state_transition {}": {
      note: "Weir has no state machines: a `step` reads the state, a `reject` refuses the event, " +
        "and a `to` with a `query` writes the next state",
    },
    "lock {}": {
      note: "Weir has no locks: one statement or `atomic = true` keeps rows consistent, " +
        "and `dedupe` takes an event once",
    },
    "semaphore {}": {
      note:
        "Weir limits connectors, not flows: `pool` of `database`, `max_connections` of `http`, " +
        "`prefetch` of `mq`",
    },
    "coordinate {}": {
      note: "no flow waits for another one: let the flow that is ready publish an event, " +
        "and start the next one with it",
    },
    "sequence_guard {}": {
      write: 'query = "UPDATE … WHERE id = :id AND version < :version"',
      note: "the statement in the `to` compares the versions",
    },
    cache: NO_CACHE,
    "cache {}": NO_CACHE,
    "after {}": { note: "Weir has no cache to clear; what follows a write is another `to`" },
    returns: NO_GRAPHQL,
    entity: NO_GRAPHQL,
  },
  "flow, from": {
    format: JSON_ONLY,
    queue: { write: 'queue { name = "orders" }', note: "the block is in the connector" },
    target: {
      write: 'operation = "order.*"',
      note: "the key, channel or topic; without it the flow gets every event",
    },
    'operation = "*"': { note: "leave it out: without it, the flow gets every event" },
    ...all(["INSERT", "UPDATE", "DELETE", "*"].map((kind) => `operation = "${kind}:…"`), CHANGES),
    on_reject: {
      write: "filter { … }",
      note: "it has `condition`, `on_reject` and `max_requeue`",
    },
  },
  "flow, from, filter": {
    id_field: { note: "leave it out: Weir counts the redeliveries of each message itself" },
  },
  "flow, accept": { use: NO_NAME },
  "flow, validate": {
    ...all(['input = "type.…"', 'output = "type.…"'], {
      write: 'input = "user"',
      note: "the name of the type alone",
    }),
  },
  "flow, step": {
    format: JSON_ONLY,
    envelope: {
      write: 'body = { product = "input.product" }',
      note: "an object of expressions, with the name of the envelope as its field",
    },
    'operation = "query"': { note: "leave it out: `query` alone says it" },
    'on_error = "default"': {
      write: 'on_error = "skip"',
      note: "with `default`, which is then the result",
    },
    ...all(["params {}", "params = […]"], {
      write: 'params = { id = "input.id" }',
      note: "an object with the names that the query has, such as `:id`",
    }),
  },
  "flow, to": {
    format: JSON_ONLY,
    envelope: {
      write: 'transform { product = "output" }',
      note: "the block is in the `to`; the body has this one field",
    },
    "transaction {}": {
      write: "atomic = true",
      note: "each statement is a `to` with a `query`, next to the others; the result of " +
        '`to "NAME"` is `results.NAME`, and `each` repeats a statement for a list',
    },
    params: {
      note: "only `database` has it here, for a query: write the entries as attributes, such as " +
        "`qos` and `retain` of `mqtt`",
    },
    ...all(["query_filter", "update"], {
      write: 'query = "UPDATE … WHERE id = :id"',
      note: "Weir has no MongoDB",
    }),
    ...all(['operation = "INSERT …"', 'operation = "UPDATE …"', 'operation = "DELETE …"'], SQL),
    ...all(["GET", "POST", "PUT", "PATCH", "DELETE"].map((method) => `operation = "${method}"`), {
      write: 'operation = "POST /orders/:id"',
      note: "method and path are one text, and there is no `target`",
    }),
    'operation = "PUBLISH"': { note: "leave it out: `target` alone says where to" },
    'operation = "room:…"': {
      write: 'operation = "send_to_room"',
      note: "`target` is the room",
    },
  },
  "flow, dedupe": {
    use: NO_NAME,
    cache: {
      write: 'store = "db"',
      note: "a database connector keeps the keys; without it they are in memory",
    },
    "fingerprint {}": {
      write: "key = \"input.id + ':' + to_json(output)\"",
      note: "what is the same in two equal events is part of the `key`",
    },
    compare_when: {
      write: 'key = "input.known ? input.id : null"',
      note: "an event whose key is null is never a duplicate",
    },
    on_duplicate: { note: "leave it out: a repeated event counts as handled" },
  },
  "flow, error_handling": {
    use: NO_NAME,
    ...all(["on_timeout {}", "on_error {}"], {
      write: "retry { attempts = 3 }",
      note: "`retry` and `fallback` are for every failure; a message that fails for good goes to " +
        "the `dlq` of its connector",
    }),
  },
  "flow, error_handling, retry": { use: NO_NAME },
  "flow, error_handling, error_response": {
    headers: { note: "a flow sets no headers of an answer: let the proxy in front do it" },
  },
};
