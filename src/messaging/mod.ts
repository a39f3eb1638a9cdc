/**
 * What the connectors of message brokers share: messages as events, settlement, redelivery, dead
 * letters, and a broker in memory that routes as another one does.
 *
 * May import base/, contract/ and expression/.
 */
export { readBody } from "./body.ts";
export {
  type Broker,
  type BrokerContext,
  type Capabilities,
  type DeadLetter,
  type Deliver,
  type Delivery,
  UnsendableError,
} from "./broker.ts";
export { MessagingConnector, type MessagingDefinition } from "./connector.ts";
export {
  deadLetterHeaders,
  EXCHANGE,
  type GivenUp,
  LONGEST_HEADER,
  ROUTING_KEY,
} from "./dead-letter.ts";
export { Intake, type IntakeContext, type Pushed } from "./intake.ts";
export type {
  MemoryBinding,
  MemoryHeaders,
  MemoryLetter,
  MemoryMessage,
  MemoryRouting,
  MemoryTarget,
  Stamp,
} from "./memory/mod.ts";
export { type Message, MessageEvent, type MessageOptions, type Publication } from "./message.ts";
export { toPublication, untraced } from "./publication.ts";
export type { ConsumerSettings } from "./settings.ts";
