/** The words of Mycel outside of connectors and flows. */
import { all, type Places } from "./words.ts";

const PLUGIN = "a plugin can define a connector type of this name, in TypeScript";

/** At the top level, in `service` and in `type`. */
export const blockWords: Places = {
  "top level": {
    "aspect {}": {
      note: "Weir has no aspects: write the steps and destinations into each flow, " +
        "and its `error_handling` for failures",
    },
    "auth {}": {
      write: "auth { jwt { … } }",
      note: "the block is in each `rest` or `websocket` connector: Weir verifies tokens, " +
        "and a service of your own, or an identity provider, signs people in and issues them",
    },
    "validator {}": {
      write: 'string({ pattern = "…" })',
      note: "in the `type`; a rule that needs an expression is a `reject` in the flow, with " +
        "`when` and `message`",
    },
    "saga {}": {
      note: "Weir has no sagas: the destinations of a flow run in order, and neighbours with " +
        "`atomic = true` are one transaction of a database",
    },
    "state_machine {}": {
      note: "Weir has no state machines: a `step` reads the state, a `reject` refuses the event, " +
        "and a `to` with a `query` writes the next state",
    },
    "functions {}": {
      note: "Weir loads no WebAssembly: expressions have the functions of docs/expressions.md, " +
        "and a plugin defines connector types",
    },
    "plugin {}": {
      write: 'plugins = ["./name.ts"]',
      note: "the attribute is in `service`; a plugin is a module of TypeScript or JavaScript",
    },
    "security {}": {
      write: 'max_body_size = "2MB"',
      note: "the limits are attributes of connectors, such as `max_message_size` of `websocket`; " +
        "a `type` limits the length of a field",
    },
    "mocks {}": {
      write: 'test "NAME" { mock "CONNECTOR" { … } }',
      note: "only `weir test` answers from mocks; a start never does",
    },
    "cache {}": {
      note: "Weir has no cache for flows: a `step` reads the data for each event",
    },
    ...all(
      [
        ...["accept {}", "coordinate {}", "dedupe {}", "error_handling {}", "lock {}"],
        ...["response {}", "retry {}", "semaphore {}", "sequence_guard {}", "transaction {}"],
      ],
      { note: "only `type` and `transform` have names: write the block into each flow" },
    ),
  },
  service: {
    "rate_limit {}": {
      write: "rate_limit { messages = 100 }",
      note: "the block is in each `rest` or `websocket` connector, with `per` and `burst`, and " +
        "counts each user, address or connection on its own",
    },
    "workflow {}": {
      note:
        "Weir has no workflows: a flow ends within its `timeout`, and a broker keeps what waits",
    },
  },
  type: {
    ...all(["_key", "_shareable", "_description", "_implements"], {
      note: "Weir has no GraphQL: leave it out, and write a comment with # where it describes",
    }),
  },
  "type, field": {
    ...all(["validator", "validate"], {
      write: 'pattern = "…"',
      note: "or `enum`, `min` and `max`; a rule that needs an expression is a `reject` in the flow",
    }),
    description: { note: "Weir has no descriptions of fields: write a comment with #" },
    ...all(["external", "inaccessible", "override", "provides", "requires", "shareable"], {
      note: "Weir has no GraphQL: leave it out",
    }),
  },
  "connector types": {
    queue: { write: 'type = "mq"' },
    sse: {
      write: 'sse = "/events"',
      note: "the attribute is in a `websocket` connector: a stream gets the messages of its rooms",
    },
    cdc: {
      write: 'type = "database"',
      note: 'with `driver = "postgres"`, and in the flow `operation = "INSERT orders"`, ' +
        "or `*` for every change",
    },
    graphql: {
      write: 'type = "rest"',
      note: "Weir serves no GraphQL: a flow answers each route; an `http` connector can send a " +
        "GraphQL query with POST",
    },
    oauth: {
      write: "auth { jwt { … } }",
      note: "Weir signs nobody in: `jwks_url` verifies the tokens that the provider issues",
    },
    ...all(["discord", "elasticsearch", "push", "slack", "sms", "webhook"], {
      write: 'type = "http"',
      note: "the service has an HTTP API: `base_url` is its address, and a `to` has the operation",
    }),
    cache: {
      note: "Weir has no cache for flows: a `step` reads the data for each event, and `dedupe` " +
        "keeps its keys in memory or in a database",
    },
    profiled: {
      note: 'a connector has one type: select between values with `env("NAME", "default")`, ' +
        "and between types by the files that `weir run` gets",
    },
    ...all(["email", "exec", "file", "ftp", "grpc", "pdf", "s3", "soap", "tcp"], {
      note: `Weir has no such connector: ${PLUGIN}`,
    }),
  },
};
