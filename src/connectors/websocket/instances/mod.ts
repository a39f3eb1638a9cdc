/** One `websocket` connector among the same connectors of the other instances of its service. */
import { messageOf } from "../../../base/shown.ts";
import type { WriteRequest } from "../../../contract/connector.ts";
import type { ConnectorContext } from "../../../contract/context.ts";
import type { Instances } from "../../../contract/instances.ts";
import { fromUtf8 } from "../../../expression/bytes.ts";
import { compileExpression } from "../../../expression/mod.ts";
import type { Frame } from "../../../transport/frame.ts";
import { type ControlCommand, execute, resultOf } from "../control.ts";
import type { Audience, Delivered, Selection } from "../recipients.ts";
import type { History, RoomMessage } from "../history/mod.ts";
import type { Shared } from "../parts.ts";
import { Filters } from "./filters.ts";
import { Receiver } from "./receiver.ts";
import { Results } from "./results.ts";
import { Sender } from "./sender.ts";
import { EVERYBODY } from "./topics.ts";
import { encode } from "./wire.ts";

/** How long an instance may take to tell the text of a filter, in milliseconds. */
const FILTER_PATIENCE = 2_000;
/** How long it waits before it tries again to listen to what is for everybody. */
const RETRY_DELAY = 1_000;

/** The connector among those of the other instances. */
export class Others {
  readonly #shared: Shared;
  readonly #instances: Instances;
  readonly #sender: Sender;
  readonly #receiver: Receiver;
  #problem: string | undefined;
  #cancelRetry: () => void = () => {};
  #closed = false;

  /** Hears the others from now on, but listens to no topic before `start`. */
  constructor(
    shared: Shared,
    instances: Instances,
    { requests = [], compile = compileExpression }: Pick<ConnectorContext, "requests" | "compile">,
    history: History | undefined,
  ) {
    const results = new Results();
    const filters = new Filters({
      logger: shared.logger,
      clock: shared.clock,
      requests,
      compile,
      ask: (instance, hash) => textOf(instances, instance, hash),
    });
    this.#shared = shared;
    this.#instances = instances;
    this.#sender = new Sender(shared, { instances, filters, results });
    this.#receiver = new Receiver(shared, { id: instances.id, filters, results, history });
    instances.hear(this.#receiver);
  }

  /** Listens to what is for everybody. Where that fails, it goes on trying. */
  async start(): Promise<void> {
    try {
      await this.#instances.listen(EVERYBODY);
      this.#problem = undefined;
    } catch (error) {
      if (this.#closed) return;
      this.#problem = `cannot listen to the other instances: ${messageOf(error)}`;
      this.#cancelRetry = this.#shared.clock.after(RETRY_DELAY, () => void this.start());
    }
  }

  /** Why it does not hear the others, in a few words; undefined while it does. */
  get problem(): string | undefined {
    return this.#problem;
  }

  /** Its numbers. */
  counts(): Readonly<Record<string, number>> {
    return { filter_gaps: this.#receiver.filterGaps };
  }

  /** Sends a message to the clients of all instances. */
  send(
    frame: Frame,
    audience: Audience,
    request: WriteRequest,
    selection: Selection,
  ): Delivered | Promise<Delivered> {
    return this.#sender.send(frame, audience, request, selection);
  }

  /** Keeps a message of a room with history, and sends it to the clients of all instances. */
  keep(message: RoomMessage, request: WriteRequest): Promise<Delivered> {
    return this.#sender.keep(message, request);
  }

  /** Executes an order: that for a user in all instances, that for one client in this one. */
  order(
    command: ControlCommand,
    selection: Selection,
    traceparent: string | undefined,
  ): Delivered | Promise<Delivered> {
    const { user } = command;
    return user === undefined
      ? orderHere(this.#shared, command, selection)
      : this.#sender.order({ ...command, user }, selection, traceparent);
  }

  /** Stops trying. */
  close(): void {
    this.#closed = true;
    this.#cancelRetry();
  }
}

/** Executes an order for the connections of this instance. */
export function orderHere(
  shared: Shared,
  command: ControlCommand,
  selection: Selection,
): Delivered | Promise<Delivered> {
  const executed = execute(shared, command, selection);
  return executed instanceof Promise
    ? executed.then((one) => resultOf(shared, command, one))
    : resultOf(shared, command, executed);
}

/** The text of a filter; undefined where the instance does not tell it. */
async function textOf(
  instances: Instances,
  instance: string,
  hash: string,
): Promise<string | undefined> {
  const question = encode("filter", { filter: hash });
  try {
    const answer = await instances.askOne(instance, question, FILTER_PATIENCE);
    return answer && fromUtf8(answer);
  } catch {
    // The backplane is away, which it reports itself.
    return undefined;
  }
}
