/** What `weir check --connect` does with the keys of a service: it asks each question, and makes no stream. */
import { jetstreamManager } from "@nats-io/jetstream";
import { createInbox, headers } from "@nats-io/transport-node";
import { BackplaneError } from "../../../../../contract/backplane.ts";
import type { NatsLink } from "../connection.ts";
import { describe } from "../errors.ts";
import { found, judged } from "../topology.ts";
import { PATIENCE, type Sender } from "./sending.ts";
import type { BackplaneSubjects } from "./subjects.ts";

/** A question that names no stream: the server answers it with an error, and changes nothing. */
const EMPTY = "{}";

/**
 * Asks everything that keys need.
 *
 * @throws {BackplaneError} The server has no JetStream, or refuses a subject.
 */
export async function tryKeys(
  { link, sender }: { readonly link: NatsLink; readonly sender: Sender },
  subjects: BackplaneSubjects,
): Promise<void> {
  const { questions, stream } = subjects;
  // No stream has this name, so none takes the message.
  const unwanted = headers();
  unwanted.set("Nats-Expected-Stream", "none of them");
  const key = subjects.key("check");
  const publish = new Set<string>();
  let isDeaf = false;
  link.listen({
    refused({ operation, subject }) {
      if (operation === "publish") publish.add(subject === key ? subjects.keys : subject);
      else isDeaf = true;
    },
  });
  const inbox = createInbox();
  await sender.send("publish", [], (client) => {
    client.subscribe(inbox, { callback: () => undefined });
    client.publish(key, EMPTY, { reply: inbox, headers: unwanted });
    for (const question of questions) client.publish(question, EMPTY, { reply: inbox });
  });
  const missing = [
    ...(publish.size === 0 ? [] : [`publish = ${JSON.stringify([...publish])}`]),
    ...(isDeaf ? ['subscribe = ["_INBOX.>"]'] : []),
  ];
  if (missing.length > 0) {
    throw new BackplaneError(
      `for the keys of dedupe its user also needs the permissions ${missing.join(" and ")}, or ` +
        "name a store for dedupe",
    );
  }
  const client = link.need();
  const manager = await jetstreamManager(client, { checkAPI: false, timeout: PATIENCE });
  await found(manager.streams.info(stream)).catch((error) => {
    const cause = judged(error, client.info?.jetstream === true);
    throw new BackplaneError(
      `the keys of dedupe: ${describe(cause)}; name a store for dedupe`,
      { cause },
    );
  });
}
