/** Whether a statement runs at a server now, for the error of a flow whose time is up. */

/** What is said of a statement that runs: it may wait for a lock. */
export const AT_SERVER = "its statement was still running at the server";

/** The statements of one read or transaction. */
export class Activity {
  #running = 0;

  /** Notes a statement until it has ended. */
  async during<T>(statement: Promise<T>): Promise<T> {
    this.#running++;
    try {
      return await statement;
    } finally {
      this.#running--;
    }
  }

  /** `AT_SERVER`, or undefined where none runs. */
  describe(): string | undefined {
    return this.#running > 0 ? AT_SERVER : undefined;
  }
}
