/** A transaction that a flow has opened: its writes, and the key of its `dedupe`. */
import type { DedupeStore } from "../../contract/cluster.ts";
import type { Transaction, WriteRequest } from "../../contract/connector.ts";
import type { DedupeKeys } from "./dedupe.ts";
import type { Session } from "./driver.ts";
import type { DatabaseDestination } from "./options.ts";
import type { Requests } from "./requests.ts";

/** Does everything in one session. */
export class OpenTransaction implements Transaction {
  readonly #requests: Requests;
  readonly #keys: DedupeKeys;
  readonly #session: Session;

  /** The session is open for as long as this is used. */
  constructor(requests: Requests, keys: DedupeKeys, session: Session) {
    this.#requests = requests;
    this.#keys = keys;
    this.#session = session;
  }

  write(request: WriteRequest): unknown {
    // The schema of options.ts made the options.
    return this.#requests.write(request as WriteRequest<DatabaseDestination>, this.#session);
  }

  get dedupeKeys(): Pick<DedupeStore, "add"> {
    return this.#keys.within(this.#session);
  }
}
