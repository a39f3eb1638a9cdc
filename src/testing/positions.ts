/** What a client of a test has of rooms with history, as a client outside keeps it. */

/** A position in a room. */
interface Position {
  readonly epoch: unknown;
  readonly offset: unknown;
}

/** The positions of one client, through all of its connections. */
export class Positions {
  readonly #positions = new Map<unknown, Position>();
  /** The rooms of joins, by the id of the frame. */
  readonly #joins = new Map<unknown, string>();

  /** The field `history` of a join: the position, or true for the first one. */
  join(room: string, frame: string): true | Position {
    this.#joins.set((JSON.parse(frame) as { readonly id?: unknown }).id, room);
    return this.#positions.get(room) ?? true;
  }

  /** Takes what a frame of the server says about positions. */
  hear({ type, id, room, epoch, offset }: Readonly<Record<string, unknown>>): void {
    if (offset === undefined) return;
    const joined = type === "ack" ? this.#joins.get(id) : room;
    const known = this.#positions.get(joined);
    if (joined !== undefined) this.#positions.set(joined, { epoch: epoch ?? known?.epoch, offset });
  }
}
