/** Who is in which group: members of rooms, connections of users. No I/O. */

const NOBODY: ReadonlySet<never> = new Set();

/** Named groups of members. Adding, removing and looking up cost the same for any number of groups. */
export class Groups<Member> {
  readonly #groups = new Map<string, Set<Member>>();

  /** How many groups have members. */
  get size(): number {
    return this.#groups.size;
  }

  /** Adds a member; one that is in already stays. */
  add(name: string, member: Member): void {
    let group = this.#groups.get(name);
    // From a list a set is made the slow way.
    if (group === undefined) this.#groups.set(name, group = new Set());
    group.add(member);
  }

  /** Removes a member, and the group with its last one. */
  remove(name: string, member: Member): void {
    const group = this.#groups.get(name);
    group?.delete(member);
    if (group?.size === 0) this.#groups.delete(name);
  }

  /** The members of a group, in the order in which they came. */
  members(name: string): ReadonlySet<Member> {
    return this.#groups.get(name) ?? NOBODY;
  }
}
