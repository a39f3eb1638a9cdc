/** Listens to what other instances send to a client, from before it is let in until it is connected. */
import type { Interest, UserInterest } from "../instances/interest.ts";

/** The topics of one client. */
export class Listening {
  /** Undefined where there can be no other instances. */
  readonly #interest: Interest | undefined;
  /** The rooms whose `listen` is to be taken back. */
  readonly #rooms: string[] = [];
  #user: UserInterest | undefined;
  #ended = false;

  constructor(interest: Interest | undefined) {
    this.#interest = interest;
  }

  /**
   * Listens to a user and to rooms. Resolves when that is in force everywhere, or with why it cannot
   * be. Never rejects.
   */
  async begin(user: string | null, rooms: readonly string[]): Promise<Error | undefined> {
    const interest = this.#interest;
    if (interest === undefined || this.#ended) return undefined;
    if (user !== null) this.#user = interest.ofUser(user);
    const waits = rooms.map((room) => this.#listen(interest, room));
    const ready = await this.#user?.ready ?? true;
    const failed = (await Promise.all(waits)).find((one) => one !== undefined);
    return ready ? failed : new Error("the user cannot be listened to");
  }

  /** Takes everything back, also what is only in force later. */
  end(): void {
    this.#ended = true;
    this.#user?.end();
    for (const room of this.#rooms.splice(0)) this.#interest?.unlisten(room);
  }

  async #listen(interest: Interest, room: string): Promise<Error | undefined> {
    try {
      await interest.listen(room);
    } catch (error) {
      return error instanceof Error ? error : new Error(String(error));
    }
    this.#rooms.push(room);
    if (this.#ended) this.end();
    return undefined;
  }
}
