/** The consumer groups of one connector: made at the start, and again where somebody deletes them. */
import type { Logger } from "../../../../../contract/connector.ts";
import type { Stream } from "./stream.ts";

/** One group on each stream. */
export class Groups {
  readonly #streams: readonly Stream[];
  readonly #group: string;
  readonly #logger: Logger;
  #declared = false;

  /** Asks the server for nothing yet. */
  constructor(streams: readonly Stream[], group: string, logger: Logger) {
    this.#streams = streams;
    this.#group = group;
    this.#logger = logger;
  }

  /**
   * Makes groups and streams where they are missing.
   *
   * @throws {Error} There is no connection, or at the first time this user may not do what entries need.
   */
  async declare(): Promise<void> {
    for (const stream of this.#streams) {
      const made = await stream.declare();
      if (!this.#declared) await stream.tryRights();
      else if (made) this.#tellOfNewGroup(stream);
    }
    this.#declared = true;
  }

  #tellOfNewGroup(stream: Stream): void {
    stream.forget();
    this.#logger.warn(
      "the group {group} of the stream {stream} was gone and is made again; what the stream has is delivered again",
      { group: this.#group, stream: stream.name },
    );
  }
}
