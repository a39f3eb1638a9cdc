/** Which instances live, by what one of them has heard, and which is the oldest. No I/O. */

/** An instance that has missed more heartbeats than this is dead. */
const MAX_MISSED = 6;
/** One that has missed as many may be dead, and sends nothing at the moment. */
const SILENT = 2;
/** How many dead instances are remembered. */
const MAX_DEAD = 1_000;

/** Another instance. */
interface Member {
  /** A higher number is younger; undefined while it has not joined. */
  age: number | undefined;
  missed: number;
  /** How many signs of life have come. */
  heard: number;
}

/** Keeps the members. */
export class Members {
  readonly id: string;
  readonly #changed: (gone: readonly string[]) => void;
  readonly #others = new Map<string, Member>();
  /** The age that each had when it was declared dead; infinite where it will not return. */
  readonly #dead = new Map<string, number>();
  /** Instances that joined beside this one, and may turn out to be older. */
  readonly #rivals = new Set<string>();
  #age: number | undefined;
  #highest = 0;

  /** `changed` is called after every change, with the others that are gone by it. */
  constructor(id: string, changed: (gone: readonly string[]) => void) {
    this.id = id;
    this.#changed = changed;
  }

  /** The age of this instance; undefined while it has not joined. */
  get age(): number | undefined {
    return this.#age;
  }

  /** All others that live, those that are about to join included. */
  get others(): readonly string[] {
    return [...this.#others.keys()];
  }

  /** The others from which a sign of life has come in the last seconds, with the number of those signs. */
  get awake(): ReadonlyMap<string, number> {
    const awake = [...this.#others].filter(([, { missed }]) => missed < SILENT);
    return new Map(awake.map(([id, { heard }]) => [id, heard]));
  }

  /** How many signs of life have come from another instance; undefined where it does not live. */
  heard(id: string): number | undefined {
    return this.#others.get(id)?.heard;
  }

  /** All that have joined, this one included, each with its age. */
  get ages(): readonly (readonly [id: string, age: number])[] {
    const others = [...this.#others].map(([id, { age }]) => [id, age] as const);
    return [[this.id, this.#age] as const, ...others].flatMap(([id, age]) =>
      age === undefined ? [] : [[id, age] as const]
    );
  }

  /** How many live, this one included. */
  get count(): number {
    return this.#others.size + 1;
  }

  /** Whether another instance lives. */
  has(id: string): boolean {
    return this.#others.has(id);
  }

  /** Whether an instance is known to have ended. One that is not known may live. */
  isDead(id: string): boolean {
    return this.#dead.has(id);
  }

  /** The age at which an instance was declared dead and has not joined again since. */
  diedAt(id: string): number | undefined {
    return this.#dead.get(id);
  }

  /** The id of the oldest; undefined while this one has not joined, or an older one may come. */
  get oldest(): string | undefined {
    if (this.#age === undefined) return undefined;
    let [oldest, lowest] = [this.id, this.#age];
    for (const [id, age] of this.ages) {
      if (age < lowest || (age === lowest && id < oldest)) [oldest, lowest] = [id, age];
    }
    return oldest === this.id && this.#rivals.size > 0 ? undefined : oldest;
  }

  /** An instance lives and has this age; undefined where it is about to join. */
  hear(id: string, age: number | undefined): void {
    if (id === this.id) return;
    this.#dead.delete(id);
    if (age !== undefined) this.#rivals.delete(id);
    this.#highest = Math.max(this.#highest, age ?? 0);
    const known = this.#others.get(id);
    const same = known !== undefined && known.age === age;
    this.#others.set(id, { age, missed: 0, heard: (known?.heard ?? 0) + 1 });
    if (!same) this.#changed([]);
  }

  /** This instance joins as the newest. */
  join(): number {
    // The highest may be nonsense that no instance has sent.
    const next = Math.max(this.#highest, this.#age ?? 0) + 1;
    this.#age = Math.min(next, Number.MAX_SAFE_INTEGER);
    this.#highest = this.#age;
    for (const [id, { age }] of this.#others) {
      if (age === undefined && id < this.id) this.#rivals.add(id);
    }
    this.#changed([]);
    return this.#age;
  }

  /** This instance is about to join again: it has no age, and what it knew of the dead may be wrong. */
  leaveOwn(): void {
    this.#highest = Math.max(this.#highest, this.#age ?? 0);
    this.#age = undefined;
    this.#rivals.clear();
    for (const [id, age] of this.#dead) if (age < Infinity) this.#dead.delete(id);
    this.forgive();
    this.#changed([]);
  }

  /** A second in which this instance could hear the others has passed. */
  tick(): void {
    const gone: string[] = [];
    for (const [id, member] of this.#others) {
      if (++member.missed > MAX_MISSED) gone.push(id);
    }
    for (const id of gone) this.#remove(id, this.#others.get(id)?.age ?? 0);
    if (gone.length > 0) this.#changed(gone);
  }

  /** Nobody is blamed for the time in which nothing could be heard. */
  forgive(): void {
    for (const member of this.#others.values()) member.missed = 0;
  }

  /** An instance has ended, and its id does not return. */
  leave(id: string): void {
    const known = this.#others.has(id);
    this.#remove(id, Infinity);
    if (known) this.#changed([id]);
  }

  /** The ids of all that live, oldest first, where the backplane knows them. */
  tell(ids: readonly string[]): void {
    const gone = this.others.filter((id) => !ids.includes(id));
    for (const id of gone) this.#remove(id, Infinity);
    for (const [index, id] of ids.entries()) {
      if (id === this.id) this.#age = index + 1;
      else {
        this.#dead.delete(id);
        this.#others.set(id, { age: index + 1, missed: 0, heard: 1 });
      }
    }
    this.#changed(gone);
  }

  #remove(id: string, age: number): void {
    this.#others.delete(id);
    this.#rivals.delete(id);
    this.#dead.set(id, age);
    for (const oldest of this.#dead.keys()) {
      if (this.#dead.size <= MAX_DEAD) return;
      this.#dead.delete(oldest);
    }
  }
}
