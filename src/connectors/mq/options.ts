/** The attributes of an mq connector, and the settings that follow from them. */
import { expression, expressionMap } from "../../contract/expression-fields.ts";
import { attribute, block, type Fields, path, type Values } from "../../contract/fields.ts";
import { clientTlsField } from "../../contract/tls-field.ts";
import {
  duration,
  flag,
  integer,
  oneOf,
  size,
  text,
  textOrList,
} from "../../contract/value-schema.ts";
import type { ConsumerSettings } from "../../messaging/mod.ts";

/** A hundred years, in milliseconds: the server has the timer. */
const LONGEST_AGE = 100 * 365 * 86_400_000;

const exchange = {
  name: attribute(text({ maxLength: 255 }), {
    about:
      'Its name; by default the exchange of that type that the broker has, such as "amq.topic".',
  }),
  type: attribute(oneOf(["topic", "direct", "fanout"]), {
    about: "How it routes: by pattern, by exact key, or to every queue.",
    default: "topic",
  }),
  durable: attribute(flag(), {
    about: "Whether it survives a restart of the broker.",
    default: true,
  }),
};

const queue = {
  name: attribute(text({ maxLength: 240 }), {
    about: "Its name; the instances of a service share its messages.",
  }),
  durable: attribute(flag(), {
    about: "Whether it survives a restart of the broker.",
    default: true,
  }),
  type: attribute(oneOf(["classic", "quorum"]), {
    about:
      "How the broker keeps it: on one node, or on several; a quorum queue is durable and shared. The broker's own default where it is absent.",
  }),
  exclusive: attribute(flag(), {
    about: "Whether one connection has it alone; it is deleted with that connection.",
    default: false,
  }),
  auto_delete: attribute(flag(), {
    about: "Whether it is deleted with its last consumer.",
    default: false,
  }),
};

const stream = {
  name: attribute(text({ maxLength: 255 }), {
    about: "Its name; the stream is made where it is missing.",
    required: true,
  }),
  subjects: attribute(textOrList(), {
    about: "What it keeps, with * and >; as it is by default. A stream that is made needs them.",
  }),
  max_age: attribute(duration({ min: 100, max: LONGEST_AGE }), {
    about: "How long it keeps a message; for ever by default.",
  }),
  max_bytes: attribute(size({ max: 2 ** 50 }), {
    about: "Its size; beyond it the oldest messages go. No limit by default.",
  }),
  replicas: attribute(integer({ min: 1, max: 5 }), {
    about: "How many servers of a cluster have it; 1 by default.",
  }),
};

const dlq = {
  subject: attribute(text(), {
    about: 'The subject of dead letters; the queue\'s name and ".dlq" by default.',
  }),
  exchange: attribute(text({ maxLength: 255 }), {
    about:
      "A topic exchange for dead letters: with their routing key they reach the queue, and all else that is bound to it. Without it they go to the queue alone.",
  }),
  queue: attribute(text({ maxLength: 255 }), {
    about: 'The queue of dead letters; the queue\'s name and ".dlq" by default.',
  }),
  stream: attribute(text({ maxLength: 512 }), {
    about: 'The stream of dead letters; the queue\'s name and ".dlq" by default.',
  }),
  max_retries: attribute(integer({ max: 1_000_000 }), {
    about: "Redeliveries after the first delivery before a message is a dead letter.",
    default: 3,
  }),
  retry_delay: attribute(duration(), {
    about: "How long a message waits before it is redelivered.",
    default: "1s",
  }),
};

const consumer = {
  queue: attribute(text({ maxLength: 240 }), {
    about: "The queue to consume from; the queue block's by default.",
  }),
  prefetch: attribute(integer({ min: 1, max: 65_535 }), {
    about:
      "How many messages a process handles at once; with 1 in one process they keep their order.",
    default: 10,
  }),
  claim_after: attribute(duration({ min: 1000 }), {
    about:
      'When another process takes over what a dead one had in hand; "30s" by default. A process that lives renews what it has.',
  }),
  dlq: block(dlq, {
    about:
      "Retries and dead letters; without it, a message that fails is redelivered twice, a second apart, and then discarded.",
  }),
};

const publisher = {
  exchange: attribute(text({ maxLength: 255 }), {
    about:
      'The exchange to publish to; the exchange block\'s by default. "" sends to the queue `target`.',
  }),
  persistent: attribute(flag(), {
    about: "Whether messages in durable queues survive a restart of the broker.",
    default: true,
  }),
  confirms: attribute(flag(), {
    about: "Whether a write waits until the broker has confirmed the message.",
    default: true,
  }),
  mandatory: attribute(flag(), {
    about: "Whether a message that reaches no queue fails its flow.",
    default: false,
  }),
  mode: attribute(oneOf(["channel", "stream"]), {
    about:
      'Whether `target` is a channel, which keeps nothing, or a stream; "stream" by default if the connector has a queue.',
  }),
  max_length: attribute(integer({ min: 1 }), {
    about: "How many entries a stream keeps, about: the oldest ones go; 100000 by default.",
  }),
};

/** The attributes and blocks of an mq connector, beside its `driver`. */
export const fields = {
  url: attribute(textOrList(), {
    about:
      "Such as amqp://user:password@host:5672/vhost, redis://user:password@host:6379/0 or nats://user:password@host:4222; amqps://, rediss:// and tls:// for TLS. A list names the servers of one cluster, or with `sentinel` Sentinels.",
  }),
  sentinel: attribute(text(), {
    about:
      "What the Sentinels at `url` call the server. The user and the password in their urls are their own, `username` and `password` those of the server.",
  }),
  host: attribute(text(), { about: 'The broker\'s host; "localhost" by default.' }),
  port: attribute(integer({ min: 1, max: 65_535 }), {
    about:
      "The broker's port; by default 5672 of RabbitMQ (5671 with TLS), 6379 of Redis, 4222 of NATS.",
  }),
  username: attribute(text(), { about: 'The user; "guest" by default with RabbitMQ.' }),
  password: attribute(text(), { about: 'The user\'s password; "guest" by default with RabbitMQ.' }),
  user: attribute(text(), { about: "The user; with a password." }),
  token: attribute(text(), { about: "A token in place of user and password." }),
  nkey: attribute(text(), { about: "The seed of a user's key, which begins with SU." }),
  creds: path({ about: "A .creds file: the user's claims, signed, and the seed of its key." }),
  vhost: attribute(text(), { about: 'The virtual host; "/" by default.' }),
  tls: clientTlsField(),
  exchange: block(exchange, { about: "Where events are published and queues are bound." }),
  stream: block(stream, { about: "A stream of JetStream, which keeps messages." }),
  queue: block(queue, { about: "A named queue; without one each instance has its own." }),
  consumer: block(consumer, { about: "How messages are consumed." }),
  publisher: block(publisher, { about: "How messages are published." }),
} satisfies Fields;

/** The attributes of a `to` block. */
export const destinationFields = {
  headers: expressionMap({ about: "Headers of the message." }),
  message_id: expression({
    about: "The id of the message, of at most 255 bytes; a random one by default.",
  }),
} satisfies Fields;

/** The values of a `connector` block. */
export type MqOptions = Values<typeof fields> & {
  /** A name in the table of drivers. */
  readonly driver: string;
  /** Whether a broker in memory takes the place of the driver's. Not in HCL. */
  readonly played?: boolean;
};

/** What a broker with exchanges is told, with every default filled in. */
export interface Settings {
  readonly exchange: Exchange;
  /** Undefined: each instance has its own queue, which is deleted with it. */
  readonly queue: Queue | undefined;
  readonly consumer: ExchangeConsumer;
  readonly publisher: PublisherSettings;
}

/** How an exchange decides which queues get a message. */
export type ExchangeType = "direct" | "topic" | "fanout";

/** Where queues are bound. */
export interface Exchange {
  readonly name: string;
  readonly type: ExchangeType;
  readonly durable: boolean;
}

/** A queue that the instances of a service share. */
export interface Queue {
  readonly name: string;
  readonly durable: boolean;
  /** Undefined: what the broker makes of it. */
  readonly type: "classic" | "quorum" | undefined;
  readonly exclusive: boolean;
  readonly autoDelete: boolean;
}

/** How messages are consumed. */
export interface ExchangeConsumer extends Omit<ConsumerSettings, "deadLetters"> {
  /** Undefined: a message that fails for good is discarded. */
  readonly deadLetters: DeadLetters | undefined;
}

/** Where messages are moved that failed for good. */
export interface DeadLetters {
  /** Empty: straight to the queue. */
  readonly exchange: string;
  readonly queue: string;
}

/** How messages are published. */
export interface PublisherSettings {
  readonly exchange: string;
  readonly persistent: boolean;
  readonly confirms: boolean;
  readonly mandatory: boolean;
}

/** Fills in the defaults of all blocks. */
export function settle(options: MqOptions): Settings {
  const { type = "topic", durable = true, name = `amq.${type}` } = options.exchange ?? {};
  const queueName = queueNameOf(options);
  const deadLetters = options.consumer?.dlq;
  return {
    exchange: { name, type, durable },
    queue: queueName === undefined ? undefined : {
      name: queueName,
      durable: options.queue?.durable ?? true,
      type: options.queue?.type,
      exclusive: options.queue?.exclusive ?? false,
      autoDelete: options.queue?.auto_delete ?? false,
    },
    consumer: {
      ...redeliveryOf(options),
      deadLetters: deadLetters && {
        exchange: deadLetters.exchange ?? "",
        queue: deadLetters.queue ?? `${queueName}.dlq`,
      },
    },
    publisher: {
      exchange: options.publisher?.exchange ?? name,
      persistent: options.publisher?.persistent ?? true,
      confirms: options.publisher?.confirms ?? true,
      mandatory: options.publisher?.mandatory ?? false,
    },
  };
}

/** The queue's name, which either block may have; undefined where each instance has its own. */
export function queueNameOf({ consumer, queue }: MqOptions): string | undefined {
  return consumer?.queue ?? queue?.name;
}

/** How many messages are handled at once, and how they are redelivered; the same with every broker. */
export function redeliveryOf(
  { consumer }: MqOptions,
): Pick<ConsumerSettings, "prefetch" | "maxRetries" | "retryDelay"> {
  return {
    prefetch: consumer?.prefetch ?? 10,
    // Without a dlq block: three deliveries, a second apart.
    maxRetries: consumer?.dlq?.max_retries ?? 2,
    retryDelay: consumer?.dlq?.retry_delay ?? 1000,
  };
}
