/** NATS as a broker. */
import { ConnectorError } from "../../../../base/errors.ts";
import { quoted } from "../../../../base/shown.ts";
import type { ProbeRequest, ProbeSource } from "../../../../contract/probe.ts";
import {
  type Broker,
  type BrokerContext,
  type Capabilities,
  type Deliver,
  type Publication,
  UnsendableError,
} from "../../../../messaging/mod.ts";
import type { MqOptions } from "../../options.ts";
import { Confirmations } from "./confirmations.ts";
import { NatsLink } from "./connection.ts";
import { CoreConsumer } from "./core-consumer.ts";
import { Declarations } from "./declarations.ts";
import { describe, isPermanent } from "./errors.ts";
import { readEntry } from "./login.ts";
import { headersToSend } from "./message.ts";
import { probe } from "./probing.ts";
import { isUsable, LONGEST_SUBJECT } from "./option-checks.ts";
import { Flusher } from "./publishing.ts";
import { type NatsSettings, settle } from "./settings.ts";
import { StreamConsumer } from "./stream-consumer.ts";
import { compileSubject } from "./subjects.ts";

/** Makes a connection to NATS. */
export function createBroker(options: MqOptions, context: BrokerContext): Broker {
  return new Nats(settle(options), context);
}

const encoder = new TextEncoder();

/** What works on one connection. */
interface Parts {
  readonly link: NatsLink;
  readonly flusher: Flusher;
  readonly confirmations: Confirmations;
  readonly declarations: Declarations;
  /** One of both. */
  readonly core: CoreConsumer | undefined;
  readonly consumer: StreamConsumer | undefined;
}

class Nats implements Broker {
  readonly capabilities: Capabilities;
  readonly #settings: NatsSettings;
  readonly #context: BrokerContext;
  #parts: Parts | undefined;
  /** Between `prepare` and `open`. */
  #preparing = false;

  constructor(settings: NatsSettings, context: BrokerContext) {
    const { stream, queue } = settings;
    this.#settings = settings;
    this.#context = context;
    this.capabilities = {
      everyWorker: stream !== undefined || queue !== undefined,
      keeps: stream !== undefined,
      delays: true,
      longestKey: LONGEST_SUBJECT,
    };
  }

  async prepare(): Promise<void> {
    this.#preparing = true;
    await this.#connect();
  }

  async open(): Promise<void> {
    if (!this.#preparing) return await this.#connect();
    this.#preparing = false;
    const parts = this.#parts;
    if (parts !== undefined) await this.#judge(parts, await parts.declarations.finish());
  }

  async #connect(): Promise<void> {
    const { name } = this.#context;
    const entry = await readEntry(this.#settings, (message) => this.#fail(message));
    const { servers } = this.#settings;
    const { logger } = this.#context;
    const parts = this.#makeParts(
      new NatsLink({ servers, name: `weir ${name}`, entry, logger }),
    );
    this.#parts = parts;
    const failure = await parts.link.opened;
    await this.#judge(parts, failure ?? await parts.declarations.ensure());
  }

  /** Throws a failure that another attempt cannot change. Any other has been logged. */
  async #judge(parts: Parts, failure: unknown): Promise<void> {
    if (!isPermanent(failure)) return parts.declarations.started();
    this.#parts = undefined;
    await closeParts(parts);
    const message = `cannot start: the broker ${parts.link.where}: ${describe(failure)}`;
    throw new ConnectorError(this.#context.name, message, { cause: failure, permanent: true });
  }

  #fail(message: string): never {
    throw new ConnectorError(this.#context.name, message, { permanent: true });
  }

  probe(requests: readonly ProbeRequest[], sources: readonly ProbeSource[]): Promise<string> {
    return probe(this.#settings, this.#context, { requests, sources });
  }

  publish(message: Publication): Promise<void> {
    const { routingKey, body } = message;
    const parts = this.#parts;
    if (parts === undefined) throw new Error("not connected");
    if (!isUsable(routingKey)) {
      throw new UnsendableError(`${quoted(routingKey)} is no subject that can be published to`);
    }
    const { stream } = this.#settings;
    const sender = stream === undefined ? parts.flusher : parts.confirmations;
    return sender.send(routingKey, encoder.encode(body), headersToSend(message));
  }

  async consume(deliver: Deliver, takesOver: boolean): Promise<void> {
    await this.#parts?.core?.start(deliver, takesOver);
    this.#parts?.consumer?.start(deliver);
  }

  async stop(): Promise<void> {
    await this.#parts?.core?.stop();
    await this.#parts?.consumer?.stop();
  }

  async drain(): Promise<void> {
    await this.#parts?.core?.drain();
  }

  async close(): Promise<void> {
    const parts = this.#parts;
    this.#parts = undefined;
    if (parts !== undefined) await closeParts(parts);
  }

  health(): string | undefined {
    const parts = this.#parts;
    return parts?.link.health ?? parts?.declarations.health ?? parts?.core?.health ??
      parts?.consumer?.health;
  }

  get reconnects(): number {
    return this.#parts?.link.reconnects ?? 0;
  }

  counts(): Readonly<Record<string, number>> {
    const core = this.#parts?.core;
    return { gaps: core?.gaps ?? 0, ...(core !== undefined && { queued: core.waiting }) };
  }

  #makeParts(link: NatsLink): Parts {
    const context = this.#context;
    const settings = this.#settings;
    const { stream, deadLetters, consumer: { prefetch } } = settings;
    const isOwn = (stream?.subjects ?? []).map(compileSubject);
    const confirmations = new Confirmations(link, (subject) => {
      // An operator has deleted the stream.
      if (isOwn.some((matches) => matches(subject))) void declarations.ensure();
    });
    const flusher = new Flusher(link);
    const declarations = new Declarations(
      link,
      settings,
      context,
      !this.#preparing,
      (ready) => consumer?.attach(ready),
    );
    const deadLetterSubject = deadLetters?.subject;
    const core = stream !== undefined ? undefined : new CoreConsumer({
      ...context,
      link,
      settings,
      deadLetters: deadLetterSubject === undefined
        ? undefined
        : { confirmations, declarations, subject: deadLetterSubject },
    });
    const consumer = stream === undefined ? undefined : new StreamConsumer({
      link,
      confirmations,
      declarations,
      deadLetterSubject,
      prefetch,
      mostRetries: context.mostRetries,
    });
    return { link, flusher, confirmations, declarations, core, consumer };
  }
}

/** What was settled last must reach the server before the connection ends. */
async function closeParts({ link, confirmations, declarations, consumer }: Parts): Promise<void> {
  consumer?.close();
  declarations.close();
  await link.close();
  confirmations.close();
}
