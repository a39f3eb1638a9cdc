/** Publishes to channels or streams, and waits for the server's answers. */
import { InFlight } from "../../../../../base/in-flight.ts";
import { withTimeout } from "../../../../../base/timeout.ts";
import { type Publication, UnsendableError } from "../../../../../messaging/mod.ts";
import type { Settings } from "../settings.ts";
import { PATIENCE } from "./client.ts";
import { fieldsOf } from "./entry.ts";
import { describe, isAnswer } from "./errors.ts";
import type { Link } from "./link.ts";

/** Publishes on one link. The library sends together what comes in one turn of the event loop. */
export class Publisher {
  readonly #link: Link;
  readonly #settings: Pick<Settings, "mode" | "maxLength">;
  readonly #trim: readonly string[];
  readonly #inFlight = new InFlight();

  /** Sends nothing yet. */
  constructor(link: Link, settings: Pick<Settings, "mode" | "maxLength">) {
    this.#link = link;
    this.#settings = settings;
    this.#trim = ["MAXLEN", "~", String(settings.maxLength), "*"];
  }

  /**
   * Resolves when the server has answered: the entry is in the stream, or those who listen to the
   * channel now get it.
   *
   * @throws {UnsendableError} It never can be sent.
   * @throws {Error} There is no connection, the server refused it, or no answer came.
   */
  publish({ routingKey, body, headers, messageId }: Publication): Promise<void> {
    const { client, health } = this.#link;
    const problem = this.#problem(routingKey, headers, messageId);
    if (problem !== undefined) return Promise.reject(new UnsendableError(problem));
    if (client === undefined) return Promise.reject(new Error(health));
    const args = this.#settings.mode === "channel"
      ? ["PUBLISH", routingKey, body]
      : ["XADD", routingKey, ...this.#trim, "body", body, ...fieldsOf(headers)];
    const sent = client.sendCommand(args).then(nothing, (cause) => {
      const error = this.#link.explained(cause, client);
      if (isAnswer(error)) throw new Error(describe(error), { cause });
      // It was on its way.
      throw new Error(`${describe(error)}; the message may have been stored`, { cause });
    });
    return this.#inFlight.add(sent);
  }

  /** Waits for all answers, for a few seconds at most. */
  async close(): Promise<void> {
    await withTimeout(this.#inFlight.empty(), PATIENCE, nothing);
  }

  #problem(
    name: string,
    headers: Publication["headers"],
    messageId: string | undefined,
  ): string | undefined {
    const { mode } = this.#settings;
    if (name === "") return `the name of the ${mode} is empty`;
    if (messageId !== undefined) return "a message of Redis has no message_id of its own";
    if (mode === "stream") return undefined;
    for (const _ in headers) return "a channel carries no headers";
    return undefined;
  }
}

function nothing(): void {}
