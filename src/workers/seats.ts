/** What all workers have together so many of, such as the connections of `max_connections`. */

/** Counts who has taken how many seats. */
export class Seats<Member> {
  /** By name: how many each member has. */
  readonly #taken = new Map<string, Map<Member, number>>();

  /** Takes one of so many; false where none is free. */
  take(member: Member, name: string, limit: number): boolean {
    const taken = this.#of(name);
    let sum = 0;
    for (const count of taken.values()) sum += count;
    if (sum >= limit) return false;
    taken.set(member, (taken.get(member) ?? 0) + 1);
    return true;
  }

  /** Gives one back. */
  leave(member: Member, name: string): void {
    const taken = this.#of(name);
    const count = taken.get(member) ?? 0;
    if (count > 1) taken.set(member, count - 1);
    else taken.delete(member);
  }

  /** Gives back all that a member has. */
  leaveAll(member: Member): void {
    for (const taken of this.#taken.values()) taken.delete(member);
  }

  #of(name: string): Map<Member, number> {
    let taken = this.#taken.get(name);
    if (taken === undefined) {
      taken = new Map();
      this.#taken.set(name, taken);
    }
    return taken;
  }
}
