/** The members of a cluster in the order in which they joined, and their leader. No I/O. */

/** Keeps the members and elects the leader. */
export class Membership<Member> {
  /** Whether each member is ready, oldest first. */
  readonly #members = new Map<Member, boolean>();
  #leader: Member | undefined;
  #hasHadLeader = false;

  /** All members, oldest first. */
  get all(): readonly Member[] {
    return [...this.#members.keys()];
  }

  /** The member that does what the service does once; undefined while no member is ready. */
  get leader(): Member | undefined {
    return this.#leader;
  }

  /** Adds a member. The very first one is the leader at once; any other must be ready before. */
  join(member: Member): void {
    this.#members.set(member, false);
    if (this.#hasHadLeader) return;
    this.#hasHadLeader = true;
    this.#leader = member;
  }

  /** Marks a member as ready to lead. */
  ready(member: Member): void {
    if (this.#members.has(member)) this.#members.set(member, true);
  }

  /** Removes a member. */
  leave(member: Member): void {
    this.#members.delete(member);
    if (this.#leader === member) this.#leader = undefined;
  }

  /** Makes the oldest ready member the leader if there is none. Returns it if it is a new one. */
  elect(): Member | undefined {
    if (this.#leader !== undefined) return undefined;
    this.#leader = [...this.#members].find(([, ready]) => ready)?.[0];
    return this.#leader;
  }
}
