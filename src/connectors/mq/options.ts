/** The attributes of an mq connector, and the settings that follow from them. */
import { expressionMap } from "../../contract/expression-fields.ts";
import { attribute, block, type Fields, type Values } from "../../contract/fields.ts";
import { duration, flag, integer, oneOf, text } from "../../contract/value-schema.ts";

const exchange = {
  name: attribute(text({ maxLength: 255 }), {
    about: 'Its name; without one the broker\'s own of that type, such as "amq.topic".',
  }),
  type: attribute(oneOf(["topic", "direct", "fanout"]), {
    about: "How it routes: by pattern, by exact key, or to every queue.",
    default: "topic",
  }),
  durable: attribute(flag(), { about: "Whether it survives the broker.", default: true }),
};

const queue = {
  name: attribute(text({ maxLength: 240 }), {
    about: "Its name; the instances of a service share its messages.",
  }),
  durable: attribute(flag(), { about: "Whether it survives the broker.", default: true }),
  exclusive: attribute(flag(), {
    about: "Whether one connection has it alone and takes it along when it ends.",
    default: false,
  }),
  auto_delete: attribute(flag(), {
    about: "Whether it goes with its last consumer.",
    default: false,
  }),
};

const dlq = {
  exchange: attribute(text({ maxLength: 255 }), {
    about: "A topic exchange that dead letters go through with the routing key that they had.",
  }),
  queue: attribute(text({ maxLength: 255 }), {
    about: 'Where dead letters end; the queue\'s name and ".dlq" by default.',
  }),
  max_retries: attribute(integer({ max: 1_000_000 }), {
    about: "How often a message is delivered again before it is a dead letter.",
    default: 3,
  }),
  retry_delay: attribute(duration(), {
    about: "How long a message waits before it is delivered again.",
    default: "1s",
  }),
};

const consumer = {
  queue: attribute(text({ maxLength: 240 }), {
    about: "The queue to consume from; the queue block's by default.",
  }),
  prefetch: attribute(integer({ min: 1, max: 65_535 }), {
    about: "How many messages may be at work at once.",
    default: 10,
  }),
  dlq: block(dlq, {
    about:
      "What becomes of a message whose flow failed; without it, it is discarded after 3 deliveries.",
  }),
};

const publisher = {
  exchange: attribute(text({ maxLength: 255 }), {
    about: 'Where it publishes; the exchange block\'s by default, "" sends to the queue `target`.',
  }),
  persistent: attribute(flag(), {
    about: "Whether messages in durable queues survive the broker.",
    default: true,
  }),
  confirms: attribute(flag(), {
    about: "Whether a delivery waits until the broker has taken charge of the message.",
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
  consumer: block(consumer, { about: "How messages are taken." }),
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
  /** Undefined: each instance has its own queue, which goes with it. */
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

/** How messages are taken. */
export interface ConsumerSettings {
  readonly prefetch: number;
  /** How often a message is delivered again. */
  readonly maxRetries: number;
  /** Milliseconds between two deliveries. */
  readonly retryDelay: number;
  /** Undefined: what fails for good is discarded. */
  readonly deadLetters: DeadLetters | undefined;
}

/** Where messages end that failed for good. */
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

/** The queue's name, which stands in either block; undefined where each instance has its own. */
export function queueNameOf({ consumer, queue }: MqOptions): string | undefined {
  return consumer?.queue ?? queue?.name;
}
