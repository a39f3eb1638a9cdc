/** The words of Mycel inside of connectors. */
import { all, type Places, type Word } from "./words.ts";

const KAFKA: Word = { note: "an attribute of Kafka, which Weir does not speak" };
const JSON_ONLY: Word = { note: "leave it out: bodies are JSON" };
const RECONNECTS: Word = {
  note: "leave it out: a lost connection is opened again after growing pauses, without an end",
};
const REQUEST_AUTH: Word = {
  note: "Weir verifies JWT alone: check a key in the flow, with `accept` and `input.headers`",
};

/** In `connector`, by its type, and in the blocks inside of it. */
export const connectorWords: Places = {
  connector: {
    "operation {}": {
      note: "operations have no names here: write the `query` or the `operation` into the flow",
    },
    "profile {}": {
      note: 'a connector has one type: select between values with `env("NAME", "default")`',
    },
    driver: { note: "leave it out: only `database` and `mq` have drivers" },
    ...all(["select", "default", "fallback"], {
      note: 'Weir has no profiles: select between values with `env("NAME", "default")`',
    }),
  },
  "connector, tls": {
    ca_cert: { write: 'ca = "ca.pem"' },
    client_cert: { write: 'cert = "client.pem"' },
    client_key: { write: 'key = "client.key"' },
    enabled: { note: "leave it out: the block turns TLS on, and without the block it is off" },
    ...all(["insecure", "insecure_skip_verify"], {
      write: 'ca = "ca.pem"',
      note: "a certificate is always verified: name the authority that has signed it",
    }),
  },
  "connector rest": {
    format: JSON_ONLY,
    "cors {}": {
      write: 'cors = ["https://app.example.com"]',
      note: "or `true` for every origin; all methods of Weir are allowed",
    },
  },
  "connector rest, auth": {
    type: { write: "jwt { … }", note: "a token is a JWT, and there is no other type" },
    secret: { write: "jwt { secret = … }" },
    jwks_url: { write: "jwt { jwks_url = … }" },
    issuer: { write: "jwt { issuer = … }" },
    audience: { write: "jwt { audience = … }" },
    algorithms: { note: "leave it out: the key decides which algorithms are allowed" },
    public: { write: "public = true", note: "it is in the `from` of each flow that is open" },
    header: {
      write: 'from = ["header:authorization"]',
      note: "for JWT; a key of an API is checked in the flow, with `accept` and `input.headers`",
    },
    scheme: { note: "leave it out: the header is `Authorization: Bearer TOKEN`" },
    ...all(["keys", "query_param", "realm", "users", "validate {}"], REQUEST_AUTH),
    required_headers: {
      write: "accept { when = \"has(input.headers['x-tenant'])\" }",
      note: "the flow refuses requests without the header",
    },
    response_headers: { note: "a flow sets no headers of an answer: let the proxy in front do it" },
  },
  "connector http": {
    format: JSON_ONLY,
    retry_count: { write: "retry { attempts = 3 }" },
    "headers {}": {
      write: "headers = { X-Team = \"'orders'\" }",
      note: "the values are expressions, so text has two pairs of quotes",
    },
  },
  "connector http, auth": {
    type: {
      write: 'bearer = env("TOKEN")',
      note:
        "the type is the name of the attribute or block: `bearer`, `basic`, `header` or `oauth2`",
    },
    token: { write: 'bearer = env("TOKEN")' },
    ...all(["username", "password"], {
      write: "basic { … }",
      note: "it has `user` and `password`",
    }),
    ...all(["api_key", "api_key_header"], {
      write: "header { … }",
      note: "it has `name` and `value`",
    }),
    api_key_query: {
      write: "query = { key = \"env('API_KEY')\" }",
      note: "it is in each `to` and `step`",
    },
    ...all(["client_id", "client_secret", "scopes", "token_url"], {
      write: "oauth2 { … }",
      note: "it has `token_url`, `client_id`, `client_secret` and `scope`, a text with spaces",
    }),
    ...all(["grant_type", "refresh_token"], {
      note: "`oauth2` uses client credentials alone, and renews its token before it expires",
    }),
  },
  "connector http, retry": {
    max_delay: { note: "leave it out: the pause grows to 30 s at most" },
  },
  "connector database": {
    'driver = "mongodb"': {
      note: 'Weir has no MongoDB: `"postgres"` keeps documents in columns of the type jsonb',
    },
    ...all(["ssl_mode", "sslmode"], {
      write: "tls = true",
      note: "the certificate is verified; without `tls` the connection is not encrypted",
    }),
    charset: { note: "leave it out: the connection uses utf8mb4" },
    uri: { write: 'url = "postgres://user:password@host:5432/database"' },
    ...all(["use_replicas", "replicas {}"], {
      note: "Weir has no read replicas: give each a connector, and ask it in a `step`",
    }),
  },
  "connector database, pool": {
    min: { note: "leave it out: connections open when they are needed" },
    max_lifetime: {
      write: 'idle_timeout = "5m"',
      note: "a connection closes after a time without use, whatever its age",
    },
    connect_timeout: {
      write: 'acquire_timeout = "10s"',
      note: "it limits how long a statement waits for its connection",
    },
  },
  "connector mq": {
    'driver = "kafka"': {
      note: 'Weir has no Kafka: `"nats"` with a `stream`, and `"redis"` with a `queue`, keep ' +
        "messages and share them between instances",
    },
    ...all(["brokers", "client_id", "producer {}", "sasl {}", "schema_registry {}"], KAFKA),
    heartbeat: {
      note: "leave it out: a broker that says nothing any more is found within about 4 s",
    },
    connection_name: { note: "leave it out: the broker shows the name of the connector" },
    ...all(["max_reconnects", "reconnect_delay"], RECONNECTS),
    db: { write: 'url = "redis://localhost:6379/2"', note: "the number is at the end of the url" },
    ...all(["channels", "patterns"], {
      write: 'operation = "orders.*"',
      note: "the `from` of each flow names its channels",
    }),
  },
  "connector mq, queue": {
    ...all(["create_if_missing", "no_wait"], {
      note: "leave it out: the queue is made where it is missing",
    }),
  },
  "connector mq, exchange": {
    routing_key: {
      write: 'operation = "orders.*"',
      note: "the `from` of each flow binds the queue with its own key",
    },
    ...all(["auto_delete", "create_if_missing", "internal", "no_wait"], {
      note: "leave it out: the exchange is made where it is missing, and it stays",
    }),
  },
  "connector mq, consumer": {
    ...all(["concurrency", "workers"], {
      write: "prefetch = 10",
      note: "it is how many messages are at work at once; `--workers` starts more processes",
    }),
    auto_ack: { note: "leave it out: a message is acknowledged when all its flows have succeeded" },
    retry_count: { write: "dlq { max_retries = 3 }" },
    ...all(["create_if_missing", "exclusive", "no_local", "no_wait", "tag"], {
      note: "leave it out: RabbitMQ's defaults apply",
    }),
    ...all(["auto_commit", "auto_offset_reset", "group_id", "offset", "topics"], KAFKA),
    ...all(["max_bytes", "max_wait_time", "min_bytes"], KAFKA),
  },
  "connector mq, consumer, dlq": {
    enabled: { note: "leave it out: the block turns dead letters on" },
    routing_key: { note: "leave it out: a dead letter keeps its key" },
    retry_header: { note: "leave it out: Weir has headers of its own for it" },
    external: {
      note: "leave it out: Weir publishes dead letters itself, so the queue needs no policy",
    },
  },
  "connector mq, publisher": {
    routing_key: { write: 'target = "orders.created"', note: "it is in each `to`" },
    content_type: { note: "leave it out: bodies are JSON" },
    immediate: { note: "leave it out: RabbitMQ itself has dropped it" },
  },
  "connector mqtt": {
    broker: {
      write: 'url = "mqtt://localhost:1883"',
      note: "`mqtts://` in place of `ssl://`, and `ws://` as it is",
    },
    clean_session: { write: "clean = true" },
    topic: { write: 'target = "alerts/temperature"', note: "it is in each `to`" },
    ...all(["auto_reconnect", "connect_timeout", "max_reconnect_interval"], RECONNECTS),
  },
};
