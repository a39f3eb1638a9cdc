/** Relays messages and commands to the same connector in the other workers of the service. */
import { messageOf } from "../../base/shown.ts";
import { sha256 } from "@noble/hashes/sha2.js";
import { utf8ToBytes } from "@noble/hashes/utils.js";
import { ConnectorError } from "../../base/errors.ts";
import { toHex } from "../../base/text.ts";
import type { ConnectorCluster } from "../../contract/cluster.ts";
import type { WriteRequest } from "../../contract/connector.ts";
import type { Expression, Scope } from "../../expression/mod.ts";
import type { Frame } from "../../transport/frame.ts";
import { type ControlCommand, execute, type Executed, resultOf } from "./control.ts";
import type { WebSocketDestinationOptions } from "./options.ts";
import {
  type Audience,
  deliver,
  type Delivered,
  type Selection,
  variablesOf,
} from "./recipients.ts";
import type { Shared } from "./shared.ts";
import { MessageFrame } from "./slow-client/message.ts";

/** A selection as JSON. It names no sender, because that is a client of another worker. */
interface RelayedSelection {
  /** The hash of the filter. */
  readonly filter?: string;
  /** The filter's variables beside `client`. */
  readonly scope?: Scope;
}

/** What one worker sends to the others. */
type RelayMessage =
  & RelayedSelection
  & (
    | { readonly text: string; readonly key?: string | undefined; readonly audience: Audience }
    | { readonly command: ControlCommand }
  );

/** What a worker replies: the result in it, or why it failed. */
type RelayReply = Delivered | { readonly problem: string };

const NONE: Executed = { recipients: 0, refused: 0 };

/** Relays what flows of this worker do, and applies what flows of the others do. */
export class Relay {
  readonly #shared: Shared;
  readonly #cluster: ConnectorCluster;
  readonly #filters: Filters;
  /** Hashes of filters that are missing here, and that have been logged. */
  readonly #missing = new Set<string>();

  /** Subscribes to what the others send. */
  constructor(shared: Shared, cluster: ConnectorCluster) {
    this.#shared = shared;
    this.#cluster = cluster;
    this.#filters = new Filters(cluster.requests);
    cluster.channel.subscribe((message) => this.#receive(message as RelayMessage));
  }

  /**
   * Relays a message that was sent to `recipients` here. Returns the number of recipients in all
   * workers where the flow reads it; otherwise that of this worker, without waiting.
   */
  send(
    frame: Frame,
    audience: Audience,
    request: WriteRequest,
    selection: Selection,
    recipients: number,
  ): Delivered | Promise<Delivered> {
    // A client is connected to one worker only.
    if (audience.operation === "send_to_client" && this.#isHere(audience.name)) {
      return { recipients };
    }
    const key = frame instanceof MessageFrame ? frame.key : undefined;
    const message: RelayMessage = { text: frame.text, key, audience, ...this.#encode(selection) };
    if (request.resultUsed !== false) {
      return this.#request(message).then((others) => ({
        recipients: recipients + others.recipients,
      }));
    }
    const behind = this.#cluster.channel.publish(message);
    return behind === undefined ? { recipients } : behind.then(() => ({ recipients }));
  }

  /**
   * Relays a command that was executed here. Each worker executes it for all of its connections
   * that are selected, or for none.
   *
   * @throws {ConnectorError} Connections have refused it. What others have done stays done.
   */
  control(
    command: ControlCommand,
    selection: Selection,
    here: Executed,
  ): Delivered | Promise<Delivered> {
    if (command.user === undefined) return resultOf(this.#shared, command, here);
    return this.#request({ command, ...this.#encode(selection) }).then((others) =>
      resultOf(this.#shared, command, {
        recipients: here.recipients + others.recipients,
        refused: here.refused + others.refused,
      })
    );
  }

  #isHere(client: string | undefined): boolean {
    return client !== undefined && this.#shared.registry.ofClient(client).length > 0;
  }

  /** The results in all other workers, added up. */
  async #request(message: RelayMessage): Promise<Executed> {
    const replies = await this.#cluster.channel.request(message) as readonly RelayReply[];
    let { recipients, refused } = NONE;
    for (const reply of replies) {
      if ("problem" in reply) {
        throw new ConnectorError(this.#shared.name, reply.problem, { permanent: true });
      }
      recipients += reply.recipients;
      refused += reply.refused ?? 0;
    }
    return { recipients, refused };
  }

  #encode({ filter, scope }: Selection): RelayedSelection {
    if (filter === undefined) return {};
    return { filter: this.#filters.hashOf(filter), scope: variablesOf(filter, scope) };
  }

  #receive(message: RelayMessage): RelayReply {
    const selection = this.#decode(message);
    if (selection === undefined) return NONE;
    const { outboxes, logger } = this.#shared;
    try {
      if ("command" in message) return execute(this.#shared, message.command, selection);
      const frame = outboxes.relayed(message.text, message.key);
      return { recipients: deliver(this.#shared, frame, message.audience, selection) };
    } catch (error) {
      const problem = messageOf(error);
      logger.error("failed to apply a message from another worker: {problem}", { problem });
      return { problem };
    }
  }

  /** Undefined where the filter is missing here: then no client of this worker may be selected. */
  #decode({ filter: hash, scope = {} }: RelayedSelection): Selection | undefined {
    const except = undefined;
    if (hash === undefined) return { filter: undefined, except, scope };
    const filter = this.#filters.find(hash);
    if (filter !== undefined) return { filter, except, scope };
    if (!this.#missing.has(hash)) {
      this.#missing.add(hash);
      this.#shared.logger.error(
        "another worker sends with a filter that this worker does not have (SHA-256 {hash}): " +
          "no client of this worker receives these messages",
        { hash },
      );
    }
    return undefined;
  }
}

/**
 * The filters of all blocks that write to one connector, by a hash of their texts. Blocks with the
 * same text have the same filter: it reads variables by name, and their values are sent with it.
 */
class Filters {
  readonly #byHash = new Map<string, Expression>();
  readonly #hashes = new WeakMap<Expression, string>();

  /** `requests` are the options of these blocks. */
  constructor(requests: readonly unknown[]) {
    for (const options of requests) {
      const { filter } = options as Partial<WebSocketDestinationOptions>;
      if (filter !== undefined) this.#byHash.set(this.hashOf(filter), filter);
    }
  }

  /** The hash that names a filter in all workers. */
  hashOf(filter: Expression): string {
    let hash = this.#hashes.get(filter);
    if (hash === undefined) {
      hash = toHex(sha256(utf8ToBytes(filter.source)));
      this.#hashes.set(filter, hash);
    }
    return hash;
  }

  /** The filter with this hash; undefined where no block of this worker has it. */
  find(hash: string): Expression | undefined {
    return this.#byHash.get(hash);
  }
}
