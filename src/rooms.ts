/** Who is in which group: members of rooms, connections of users. No I/O. */

const NOBODY: ReadonlySet<never> = new Set();

/** Named groups of members. Adding, removing and looking up cost the same for any number of groups. */
export class Groups<Member> {
  readonly #groups = new Map<string, Set<Member>>();

  /** How many groups have members. */
  get size(): number {
    return this.#groups.size;
  }

  /** Adds a member; false where it was in already. */
  add(name: string, member: Member): boolean {
    const group = this.#groups.get(name);
    if (group === undefined) {
      this.#groups.set(name, new Set([member]));
      return true;
    }
    if (group.has(member)) return false;
    group.add(member);
    return true;
  }

  /** Removes a member, and the group with its last one; false where it was not in. */
  remove(name: string, member: Member): boolean {
    const group = this.#groups.get(name);
    if (!group?.delete(member)) return false;
    if (group.size === 0) this.#groups.delete(name);
    return true;
  }

  /** The members of a group, in the order in which they came. */
  members(name: string): ReadonlySet<Member> {
    return this.#groups.get(name) ?? NOBODY;
  }
}
