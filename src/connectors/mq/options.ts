/** The attributes of an mq connector, and the settings that follow from them. */
import { expressionMap } from "../../contract/expression-fields.ts";
import { attribute, block, type Fields, type Values } from "../../contract/fields.ts";
import { duration, flag, integer, oneOf, text } from "../../contract/value-schema.ts";

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
  exclusive: attribute(flag(), {
    about: "Whether one connection has it alone; it is deleted with that connection.",
    default: false,
  }),
  auto_delete: attribute(flag(), {
    about: "Whether it is deleted with its last consumer.",
    default: false,
  }),
};

const dlq = {
  exchange: attribute(text({ maxLength: 255 }), {
    about:
      "A topic exchange for dead letters: with their routing key they reach the queue, and all else that is bound to it. Without it they go to the queue alone.",
  }),
  queue: attribute(text({ maxLength: 255 }), {
    about: 'The queue of dead letters; the queue\'s name and ".dlq" by default.',
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
};

/** The attributes and blocks of an mq connector, beside its `driver`. */
export const fields = {
  url: attribute(text(), {
    about: "Such as amqp://user:password@host:5672/vhost; amqps:// for TLS.",
  }),
  host: attribute(text(), { about: 'The broker\'s host; "localhost" by default.' }),
  port: attribute(integer({ min: 1, max: 65_535 }), {
    about: "The broker's port; 5672 by default, 5671 with TLS.",
  }),
  username: attribute(text(), { about: '"guest" by default.' }),
  password: attribute(text(), { about: '"guest" by default.' }),
  vhost: attribute(text(), { about: 'The virtual host; "/" by default.' }),
  tls: attribute(flag(), { about: "Whether the connection is encrypted; false by default." }),
  exchange: block(exchange, { about: "Where events are published and queues are bound." }),
  queue: block(queue, { about: "A named queue; without one each instance has its own." }),
  consumer: block(consumer, { about: "How messages are consumed." }),
  publisher: block(publisher, { about: "How messages are published." }),
} satisfies Fields;

/** The attributes of a `to` block. */
export const destinationFields = {
  headers: expressionMap({ about: "Headers of the message." }),
} satisfies Fields;

/** The values of a `connector` block. */
export type MqOptions = Values<typeof fields> & {
  /** A name in the table of drivers. */
  readonly driver: string;
};

/** The same with every default filled in. */
export interface Settings {
  readonly exchange: Exchange;
  /** Undefined: each instance has its own queue, which is deleted with it. */
  readonly queue: Queue | undefined;
  readonly consumer: ConsumerSettings;
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
  readonly exclusive: boolean;
  readonly autoDelete: boolean;
}

/** How messages are consumed. */
export interface ConsumerSettings {
  readonly prefetch: number;
  /** How often a message is redelivered, at most. */
  readonly maxRetries: number;
  /** Milliseconds between two deliveries. */
  readonly retryDelay: number;
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
  const { prefetch = 10 } = options.consumer ?? {};
  const deadLetters = options.consumer?.dlq;
  return {
    exchange: { name, type, durable },
    queue: queueName === undefined ? undefined : {
      name: queueName,
      durable: options.queue?.durable ?? true,
      exclusive: options.queue?.exclusive ?? false,
      autoDelete: options.queue?.auto_delete ?? false,
    },
    consumer: {
      prefetch,
      // Without a dlq block: three deliveries, a second apart.
      maxRetries: deadLetters?.max_retries ?? 2,
      retryDelay: deadLetters?.retry_delay ?? 1000,
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
