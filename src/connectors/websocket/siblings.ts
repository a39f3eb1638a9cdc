/** The same connector in the other workers: what is sent to clients reaches theirs, too. */
import type { ConnectorCluster } from "../../connector-cluster.ts";
import type { Logger, WriteRequest } from "../../connector.ts";
import { ConnectorError } from "../../errors.ts";
import type { Scope } from "../../expression.ts";
import type { Frame } from "../../frame.ts";
import { carryOut, type ControlHost, type Order } from "./control.ts";
import type { WebSocketDestinationOptions } from "./options.ts";
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

/** Whom to leave out, as JSON. */
interface Exclusion {
  /** The `id` of a client. */
  readonly except?: string | undefined;
  /** The `to` block whose filter decides, as its place among the connector's. */
  readonly block?: number;
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

/** Passes on what flows of this worker do, and does what those of the others want. */
export class Siblings {
  readonly #hub: SiblingHost;
  readonly #cluster: ConnectorCluster;

  /** Listens from now on. */
  constructor(hub: SiblingHost, cluster: ConnectorCluster) {
    this.#hub = hub;
    this.#cluster = cluster;
    cluster.channel.listen((message) => this.#hear(message as Said));
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
    const said: Said = { text: frame.text, key, audience, ...this.#exclusion(request, choice) };
    if (request.resultUsed !== false) return this.#ask(said, recipients);
    const behind = this.#cluster.channel.tell(said);
    return behind === undefined ? { recipients } : behind.then(() => ({ recipients }));
  }

  /**
   * Passes an order on, after it was carried out for `recipients` here.
   *
   * @throws {ConnectorError} A connection elsewhere is in too many rooms: none there has joined.
   */
  control(
    order: Order,
    request: WriteRequest,
    choice: Choice,
    recipients: number,
  ): Delivered | Promise<Delivered> {
    if (order.user === undefined) return { recipients };
    return this.#ask({ order, ...this.#exclusion(request, choice) }, recipients);
  }

  #isHere(client: string | undefined): boolean {
    return client !== undefined && this.#hub.ofClient(client).length > 0;
  }

  async #ask(said: Said, here: number): Promise<Delivered> {
    const answers = await this.#cluster.channel.ask(said) as readonly Answer[];
    let recipients = here;
    for (const answer of answers) {
      if ("problem" in answer) {
        throw new ConnectorError(this.#hub.name, answer.problem, { permanent: true });
      }
      recipients += answer.recipients;
    }
    return { recipients };
  }

  #exclusion({ options }: WriteRequest, { filter, except, scope }: Choice): Exclusion {
    if (filter === undefined) return { except };
    const block = this.#cluster.destinations.indexOf(options);
    return { except, block, seen: variablesOf(filter, scope) };
  }

  #hear(said: Said): Answer {
    const choice = this.#choice(said);
    try {
      if ("order" in said) return { recipients: carryOut(this.#hub, said.order, choice) };
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

  #choice({ except, block, seen = {} }: Exclusion): Choice {
    const options = block === undefined ? undefined : this.#cluster.destinations[block];
    const { filter } = (options ?? {}) as Partial<WebSocketDestinationOptions>;
    return { filter, except, scope: seen };
  }
}
