/** The same connector in the other workers: what is sent to clients reaches theirs, too. */
import type { ConnectorCluster } from "../../contract/cluster.ts";
import type { Logger, WriteRequest } from "../../contract/connector.ts";
import { ConnectorError } from "../../base/errors.ts";
import type { Scope } from "../../expression/mod.ts";
import type { Frame } from "../../transport/frame.ts";
import { carryOut, type ControlHost, type Done, type Order, resultOf } from "./control.ts";
import { Filters } from "./filters.ts";
import { type Audience, type Choice, type Delivered, variablesOf } from "./recipients.ts";
import { MessageFrame } from "./slow-client/message.ts";
import type { Outboxes } from "./slow-client/outboxes.ts";

/** What siblings need of the connector of their own worker. */
export interface SiblingHost extends ControlHost {
  readonly logger: Logger;
  readonly outboxes: Outboxes;
  /** Sends to the clients of this worker alone; gives how many they are. */
  deliver(frame: Frame, audience: Audience, choice: Choice): number;
}

/** Which clients to leave out, as JSON. The sender is never named: it is a client of another worker. */
interface Exclusion {
  /** What names the filter that decides. */
  readonly filter?: string;
  /** The filter's variables beside `client`. */
  readonly seen?: Scope;
}

/** What one worker says to the others. */
type Said =
  & Exclusion
  & (
    | { readonly text: string; readonly key?: string | undefined; readonly audience: Audience }
    | { readonly order: Order }
  );

/** What a worker answers: to how many it was done, or why it was not. */
type Answer = Delivered | { readonly problem: string };

const NOBODY: Done = { recipients: 0, refused: 0 };

/** Passes on what flows of this worker do, and does what those of the others want. */
export class Siblings {
  readonly #hub: SiblingHost;
  readonly #cluster: ConnectorCluster;
  readonly #filters: Filters;
  /** Hashes of filters that are missing here, and that have been logged. */
  readonly #unknown = new Set<string>();

  /** Listens from now on. */
  constructor(hub: SiblingHost, cluster: ConnectorCluster) {
    this.#hub = hub;
    this.#cluster = cluster;
    this.#filters = new Filters(cluster.requests);
    cluster.channel.subscribe((message) => this.#hear(message as Said));
  }

  /**
   * Passes a message on, after it was sent to `recipients` here. Gives how many got it in all
   * workers where somebody wants to know; of this worker alone, without waiting, where not.
   */
  send(
    frame: Frame,
    audience: Audience,
    request: WriteRequest,
    choice: Choice,
    recipients: number,
  ): Delivered | Promise<Delivered> {
    // A client is in one place only.
    if (audience.operation === "send_to_client" && this.#isHere(audience.name)) {
      return { recipients };
    }
    const key = frame instanceof MessageFrame ? frame.key : undefined;
    const said: Said = { text: frame.text, key, audience, ...this.#exclusion(choice) };
    if (request.resultUsed !== false) {
      return this.#ask(said).then((there) => ({ recipients: recipients + there.recipients }));
    }
    const behind = this.#cluster.channel.publish(said);
    return behind === undefined ? { recipients } : behind.then(() => ({ recipients }));
  }

  /**
   * Passes an order on after this worker has tried to carry it out. Each worker does it to all of
   * its connections that are meant, or to none.
   *
   * @throws {ConnectorError} It could not be done to all of them. What was done stays.
   */
  control(order: Order, choice: Choice, here: Done): Delivered | Promise<Delivered> {
    if (order.user === undefined) return resultOf(this.#hub, order, here);
    return this.#ask({ order, ...this.#exclusion(choice) }).then((there) =>
      resultOf(this.#hub, order, {
        recipients: here.recipients + there.recipients,
        refused: here.refused + there.refused,
      })
    );
  }

  #isHere(client: string | undefined): boolean {
    return client !== undefined && this.#hub.ofClient(client).length > 0;
  }

  /** What came of it in all other workers. */
  async #ask(said: Said): Promise<Done> {
    const answers = await this.#cluster.channel.request(said) as readonly Answer[];
    let { recipients, refused } = NOBODY;
    for (const answer of answers) {
      if ("problem" in answer) {
        throw new ConnectorError(this.#hub.name, answer.problem, { permanent: true });
      }
      recipients += answer.recipients;
      refused += answer.refused ?? 0;
    }
    return { recipients, refused };
  }

  #exclusion({ filter, scope }: Choice): Exclusion {
    if (filter === undefined) return {};
    return { filter: this.#filters.hashOf(filter), seen: variablesOf(filter, scope) };
  }

  #hear(said: Said): Answer {
    const choice = this.#choice(said);
    if (choice === undefined) return NOBODY;
    try {
      if ("order" in said) return carryOut(this.#hub, said.order, choice);
      const frame = this.#hub.outboxes.passedOn(said.text, said.key);
      return { recipients: this.#hub.deliver(frame, said.audience, choice) };
    } catch (error) {
      const problem = error instanceof Error ? error.message : String(error);
      this.#hub.logger.error("what another worker wants cannot be done here: {problem}", {
        problem,
      });
      return { problem };
    }
  }

  /** Undefined where the filter is missing here: then no client of this worker may get it. */
  #choice({ filter: hash, seen = {} }: Exclusion): Choice | undefined {
    const except = undefined;
    if (hash === undefined) return { filter: undefined, except, scope: seen };
    const filter = this.#filters.find(hash);
    if (filter !== undefined) return { filter, except, scope: seen };
    if (!this.#unknown.has(hash)) {
      this.#unknown.add(hash);
      const { logger } = this.#hub;
      logger.error(
        "another worker sends with a filter that this one does not have (SHA-256 {hash}): no " +
          "client of this worker gets what it sends",
        { hash },
      );
    }
    return undefined;
  }
}
