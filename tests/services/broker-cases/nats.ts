/** NATS: subjects, queue groups, and streams of JetStream. */
import { jetstreamManager } from "@nats-io/jetstream";
import { connect } from "@nats-io/transport-node";
import { SHARED_NATS } from "../../support/nats.ts";
import { consumer, type Headers, type Kind, type Names, type Outside } from "./kind.ts";

const key = ({ id }: Names, name: string): string => `${id}.${name}`;
const queue = ({ group }: Names): string => `queue { name = "${group}" }`;
/** A stream that takes keys of up to three words. */
const stream = ({ id }: Names): string =>
  `stream {\n name = "${id}"\n subjects = ["${id}.*", "${id}.*.*", "${id}.*.*.*"]\n}`;

/** NATS carries text, and leaves out what is null. */
const carried = (sent: Headers): Headers =>
  Object.fromEntries(
    Object.entries(sent).filter(([, value]) => value !== null)
      .map(([name, value]) => [name, String(value)]),
  );

const core: Kind = {
  driver: "nats",
  service: "nats",
  outside,
  attributes: (_names, consuming) => consumer(consuming, ""),
  letters: undefined,
  key,
  all: ">",
  patterns: [
    [">", ["order", "order.new", "order.a.b", "bill.new"], []],
    ["*", ["order"], ["order.new", "bill.new"]],
    ["order.*", ["order.new"], ["order", "order.a.b", "bill.new"]],
    ["order.>", ["order.new", "order.a.b"], ["order", "bill.new"]],
    ["*.new", ["order.new", "bill.new"], ["order.a.b"]],
    ["order.new", ["order.new"], ["order"]],
  ],
  separate: true,
  shared: false,
  keeps: false,
  delays: true,
  headers: carried,
  metadata: (_names, key) => ({ subject: key }),
  ids: undefined,
  refusal: undefined,
};

/** `dlq` is the stream of dead letters. */
const letters = (dlq: (names: Names) => string): NonNullable<Kind["letters"]> => (names) => ({
  attributes: `stream {\n name = "${dlq(names)}"\n subjects = ["${names.group}.dlq"]\n}\n` +
    'queue { name = "letters" }',
  operation: `${names.group}.dlq`,
});

const group: Kind = {
  ...core,
  attributes: (names, consuming) => `${queue(names)}\n${consumer(consuming, "")}`,
  letters: letters(({ group }) => `${group}_DLQ`),
  separate: false,
  shared: true,
};

const jetstream: Kind = {
  ...group,
  attributes: (names, consuming) => `${stream(names)}\n${queue(names)}\n${consumer(consuming, "")}`,
  letters: letters(({ id }) => `${id}_DLQ`),
  keeps: true,
  ids: "unique",
  refusal: (names) => ({
    attributes: stream(names),
    reason: /: could not publish "\S+\.nobody\.takes\.it\.now": .*no stream/,
  }),
};

async function outside(): Promise<Outside> {
  const client = await connect({ servers: SHARED_NATS });
  const manager = await jetstreamManager(client);
  return {
    async send(_names, key, body) {
      client.publish(key, body);
      await client.flush();
    },
    async letters({ id, group }) {
      const subject = `${group}.dlq`;
      const name = await manager.streams.find(subject);
      const { state: { first_seq, last_seq } } = await manager.streams.info(name);
      const found: Uint8Array[] = [];
      for (let seq = first_seq; seq <= last_seq; seq++) {
        const letter = await manager.streams.getMessage(name, { seq });
        if (letter?.subject.startsWith(id)) found.push(letter.data);
      }
      return found;
    },
    async clear({ id }) {
      for await (const { config: { name } } of manager.streams.list()) {
        if (name.includes(id)) await manager.streams.delete(name).catch(() => {});
      }
    },
    async close() {
      await client.close();
    },
  };
}

/** Its kinds. */
export const natsKinds: Readonly<Record<string, Kind>> = {
  "NATS, subjects": core,
  "NATS, a queue group": group,
  "JetStream": jetstream,
};
