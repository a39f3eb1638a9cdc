/** Locks that one worker at a time has. */

/** One that has a lock, or waits for it. */
interface Claim<Member> {
  readonly member: Member;
  readonly id: string;
  readonly name: string;
  readonly grant: () => void;
}

/** Gives locks in the order in which they were asked for. */
export class Locks<Member> {
  /** By the lock's name; the first has it. */
  readonly #queues = new Map<string, Claim<Member>[]>();
  readonly #claims = new Map<string, Claim<Member>>();

  /** Resolves once the lock is there. `id` must be new. */
  take(member: Member, id: string, name: string): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const claim = { member, id, name, grant: resolve };
    this.#claims.set(id, claim);
    const queue = this.#queues.get(name);
    if (queue !== undefined) queue.push(claim);
    else {
      this.#queues.set(name, [claim]);
      resolve();
    }
    return promise;
  }

  /** Lets go of a lock, or waits for it no longer. */
  release(id: string): void {
    const claim = this.#claims.get(id);
    if (claim === undefined) return;
    this.#claims.delete(id);
    // Who waits no longer is not kept waiting for ever.
    claim.grant();
    const queue = this.#queues.get(claim.name) ?? [];
    const had = queue[0] === claim;
    queue.splice(queue.indexOf(claim), 1);
    if (queue.length === 0) this.#queues.delete(claim.name);
    else if (had) queue[0].grant();
  }

  /** Lets go of all that a member has or waits for. */
  releaseAll(member: Member): void {
    for (const claim of [...this.#claims.values()]) {
      if (claim.member === member) this.release(claim.id);
    }
  }
}
