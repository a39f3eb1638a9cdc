/** Begins and ends what only the oldest instance does. */
import type { Logger } from "../contract/logger.ts";
import type { Turn } from "../contract/instances.ts";

/** Keeps the turns of this instance. */
export class Leadership {
  readonly #id: string;
  readonly #logger: Logger;
  readonly #turns: Turn[] = [];
  /** The oldest instance; undefined while it is not known. */
  #oldest: string | undefined;
  /** Whether another instance has been the oldest. */
  #takesOver = false;
  /** Begins and ends run one after the other. */
  #running: Promise<void> = Promise.resolve();
  #closed = false;

  constructor(id: string, logger: Logger) {
    this.#id = id;
    this.#logger = logger;
  }

  /** Whether this instance is the oldest. */
  get isOwn(): boolean {
    return this.#oldest === this.#id && !this.#closed;
  }

  /** As `Group.lead`. */
  lead(turn: Turn): void {
    this.#turns.push(turn);
    if (this.isOwn) this.#begin([turn]);
  }

  /** The oldest instance is another one than before, perhaps. */
  update(oldest: string | undefined): void {
    const before = this.isOwn;
    this.#oldest = oldest;
    if (oldest !== undefined && oldest !== this.#id) this.#takesOver = true;
    if (this.isOwn === before) return;
    if (!before) this.#begin(this.#turns);
    else this.#each(this.#turns, (turn) => turn.end());
  }

  /** Begins nothing more. What has begun does not end by this. */
  close(): void {
    this.#closed = true;
  }

  #begin(turns: readonly Turn[]): void {
    const takesOver = this.#takesOver;
    this.#each(turns, (turn) => turn.begin(takesOver));
  }

  #each(turns: readonly Turn[], act: (turn: Turn) => Promise<void>): void {
    const now = [...turns];
    this.#running = this.#running.then(async () => {
      for (const turn of now) {
        try {
          if (!this.#closed) await act(turn);
        } catch (error) {
          this.#logger.error("the turn of the oldest instance failed: {error}", { error });
        }
      }
    });
  }
}
