/** Listens to the topics of the rooms and users that have clients in this instance. */
import type { Instances } from "../../../contract/instances.ts";
import { roomTopic, userTopic } from "./topics.ts";

/** The part of the instances that tells what to listen to. */
export type Listening = Pick<Instances, "listen" | "unlisten">;

/** What one connector listens to. A room with members has one `listen`, and each pending join one. */
export class Interest {
  readonly #instances: Listening;

  constructor(instances: Listening) {
    this.#instances = instances;
  }

  /**
   * Listens to a room, before somebody joins it. Undefined where that is in force already.
   *
   * @throws {BackplaneError} It is not in force in time. Then it counts for nothing.
   */
  listen(room: string): Promise<void> | undefined {
    return this.#instances.listen(roomTopic(room));
  }

  /** Takes back one `listen`: the room's last member has left, or a join needs none of its own. */
  unlisten(room: string): void {
    this.#instances.unlisten(roomTopic(room));
  }

  /** Listens to a user, for one connection. */
  ofUser(user: string): UserInterest {
    return new UserInterest(this.#instances, userTopic(user));
  }
}

/** The interest of one connection in its user. */
export class UserInterest {
  readonly #instances: Listening;
  readonly #topic: string;
  /**
   * Resolves with whether the user is listened to everywhere; undefined where it is at once. Never
   * rejects.
   */
  readonly ready: Promise<boolean> | undefined;
  /** Whether there is a `listen` to take back. */
  #counts = false;
  #ended = false;

  constructor(instances: Listening, topic: string) {
    this.#instances = instances;
    this.#topic = topic;
    const listening = instances.listen(topic);
    if (listening === undefined) this.#counts = true;
    this.ready = listening?.then(() => this.#begin(), () => false);
  }

  /** The connection has ended. */
  end(): void {
    this.#ended = true;
    if (!this.#counts) return;
    this.#counts = false;
    this.#instances.unlisten(this.#topic);
  }

  #begin(): boolean {
    this.#counts = true;
    // Its connection has ended meanwhile.
    if (this.#ended) this.end();
    return true;
  }
}
