/** Takes the service of a connector away, and brings it back. */
import { within } from "./failure.ts";
import type { OutageOptions } from "./options.ts";

/** The longest time that the author's functions may take, in milliseconds. A container is slow. */
const LIMIT = 60_000;

/** The author's functions, each called only when it is its turn. */
export class Outage {
  readonly #options: OutageOptions | undefined;
  #away = false;

  constructor(options: OutageOptions | undefined) {
    this.#options = options;
  }

  /** Takes the service away, if it is there. */
  async stop(): Promise<void> {
    if (this.#away) return;
    this.#away = true;
    await within("outage.stop()", () => this.#options?.stop(), LIMIT);
  }

  /** Brings the service back, if it is away. */
  async start(): Promise<void> {
    if (!this.#away) return;
    this.#away = false;
    await within("outage.start()", () => this.#options?.start(), LIMIT);
  }
}
