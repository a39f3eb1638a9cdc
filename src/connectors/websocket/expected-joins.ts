/** Joins that wait until their room is listened to. What leaves meanwhile withdraws them. No I/O. */

/** The expected joins of all members. */
export class ExpectedJoins<Member> {
  readonly #rooms = new Map<Member, Map<string, object>>();

  /** Expects a join. Returns what `forget` takes. */
  expect(member: Member, room: string): object {
    const join = {};
    const rooms = this.#rooms.get(member);
    if (rooms === undefined) this.#rooms.set(member, new Map([[room, join]]));
    else rooms.set(room, join);
    return join;
  }

  /** The member has left the room, so that no join of before may bring it back. */
  withdraw(member: Member, room: string): void {
    if (this.#rooms.size === 0) return;
    const rooms = this.#rooms.get(member);
    if (rooms?.delete(room) && rooms.size === 0) this.#rooms.delete(member);
  }

  /** The member has left altogether. */
  withdrawAll(member: Member): void {
    this.#rooms.delete(member);
  }

  /** Whether a join is still expected. Of several joins of one room the first that ends is enough. */
  take(member: Member, room: string): boolean {
    const expected = this.#rooms.get(member)?.has(room) ?? false;
    this.withdraw(member, room);
    return expected;
  }

  /** A join has failed. A later one of the same room is still expected. */
  forget(member: Member, room: string, join: object): void {
    if (this.#rooms.get(member)?.get(room) === join) this.withdraw(member, room);
  }
}
