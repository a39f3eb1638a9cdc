/** Faults of brokers, and of other instances behind one. */
import { fails, type Faults, GOOD, type Line, NOT_READY, type Symptoms } from "../symptom.ts";

const AWAY: Line = ["warning", "the broker {where} is away; reconnecting: {reason}"];
const BACK: Line = ["info", "the broker {where} is back"];

function brokerAway(): Symptoms {
  return {
    metrics: { 'weir_broker_connected{connector="bus"}': 0 },
    log: AWAY,
    health: NOT_READY,
    alert: "WeirBrokerDisconnected",
    over: {
      metrics: {
        'weir_broker_connected{connector="bus"}': 1,
        'weir_broker_reconnects_total{connector="bus"}': "grows",
      },
      log: BACK,
    },
  };
}

/** Brokers, and other instances behind one. */
export const brokers = {
  "RabbitMQ is away": brokerAway(),
  "Redis is away": brokerAway(),
  "NATS is away": brokerAway(),
  "an MQTT broker is away": brokerAway(),
  "RabbitMQ is away when the service starts": brokerAway(),
  "a message fails for good, and there is a `dlq`": {
    metrics: {
      'weir_broker_redeliveries_total{connector="bus"}': "grows",
      'weir_broker_messages_received_total{connector="bus",settlement="dead_letter"}': "grows",
      'weir_broker_dead_letters_total{connector="bus"}': "grows",
    },
    log: ["error", "message {routingKey} was moved to the {deadLetters}: {reason}"],
    health: GOOD,
    alert: "WeirDeadLetters",
  },
  "a message fails for good, and there is no `dlq`": {
    metrics: {
      'weir_broker_messages_received_total{connector="bus",settlement="discard"}': "grows",
    },
    log: ["error", "message {routingKey} was discarded: {reason}"],
    health: GOOD,
    alert: "WeirMessagesDiscarded",
  },
  "a message is for no flow": {
    metrics: { 'weir_broker_unrouted_total{connector="bus"}': "grows" },
    log: ["warning", "message {routingKey} is for no flow, and was acked"],
    health: GOOD,
  },
  "no queue takes a message, and the connector has `mandatory`": fails(
    'connector "bus": could not publish {key}: no queue takes the routing key',
    {
      'weir_broker_publish_failures_total{connector="bus"}': "grows",
      'weir_destination_failures_total{flow="work",connector="bus"}': "grows",
    },
    "WeirPublishesFail",
  ),
  "messages are missed, since the queue has no name": {
    metrics: { 'weir_broker_gaps_total{connector="bus"}': "grows" },
    log: [
      "warning",
      "consumes from a new queue; events since the former one was lost are missing",
    ],
    health: GOOD,
    alert: "WeirMessagesMissed",
  },
  "a consumer of a Redis group dies with messages in hand": {
    metrics: { 'weir_broker_claimed_total{connector="bus"}': "grows" },
    log: undefined,
    health: GOOD,
  },
  "the backplane is away": {
    metrics: { 'weir_broker_connected{connector="bus"}': 0 },
    log: ["warning", "the other instances cannot be reached: {reason}"],
    health: NOT_READY,
    alert: "WeirBackplaneGaps",
    over: {
      metrics: {
        'weir_broker_connected{connector="bus"}': 1,
        'weir_websocket_backplane_gaps_total{connector="ws"}': "grows",
        'weir_websocket_history_caught_up_total{connector="ws"}': "grows",
      },
      log: ["warning", "messages of other instances may be lost: this one was cut off"],
    },
  },
  "another instance dies": {
    metrics: {
      'weir_websocket_backplane_instances{connector="ws"}': 1,
      'weir_broker_connected{connector="bus"}': 1,
    },
    log: [
      "warning",
      "instance {instance} has not been heard of for six seconds, and counts as dead",
    ],
    health: GOOD,
    alert: "WeirInstancesMissing",
  },
  "another program writes to the backplane": {
    metrics: {
      'weir_websocket_backplane_messages_total{connector="ws",result="unreadable"}': "grows",
      'weir_broker_connected{connector="bus"}': 1,
    },
    log: ["warning", "ignored a message on the backplane in another format"],
    health: GOOD,
    alert: "WeirBackplaneMessagesUncertain",
  },
  "another instance has a filter that cannot be used here": {
    metrics: { 'weir_websocket_filter_gaps_total{connector="ws"}': "grows" },
    log: [
      "error",
      "instance {from} sends with the filter {filter}, which does not compile here: no client of this instance receives these messages: {reason}",
    ],
    health: GOOD,
    alert: "WeirBackplaneMessagesUncertain",
  },
} satisfies Faults;
