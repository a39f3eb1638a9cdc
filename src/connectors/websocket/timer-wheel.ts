/** Timers of many that wait about as long: one timer of the runtime's for all of them. No I/O. */

/** The steps of what does not wait, and of what is called next. */
const NOWHERE = -1;
const DUE = -2;

/** Something that waits on a wheel, which links it with its own fields. */
export abstract class Timer {
  /** The step of the wheel that it waits for. */
  step = NOWHERE;
  /** The one behind it. */
  next: Timer | undefined = undefined;
  /** The one before it. */
  previous: Timer | undefined = undefined;

  /** Its time has come; it waits no longer. What it throws is uncaught and stops no other timer. */
  abstract due(): void;
}

/** How many moments a wheel tells apart. */
const SLOTS = 512;

/** A ring of moments. To wait and to wait no longer cost the same for any number of timers. */
export class TimerWheel {
  /** Milliseconds from slot to slot. */
  readonly #step: number;
  readonly #slots: (Timer | undefined)[] = new Array(SLOTS).fill(undefined);
  /** The last step that was seen to. */
  #done = 0;
  #waiting = 0;
  /** The step that the runtime's timer is set for. */
  #alarm = Infinity;
  #handle: ReturnType<typeof setTimeout> | undefined;

  /** No timer may wait longer than `longest` milliseconds. */
  constructor(longest: number) {
    // Two slots are for what rounding adds.
    this.#step = Math.max(1, Math.ceil(longest / (SLOTS - 2)));
  }

  /**
   * Waits until this moment of `performance.now()`, or up to a step of the wheel less; until the
   * next step where the moment is nearer than that.
   */
  setBefore(timer: Timer, moment: number): void {
    this.#set(timer, Math.floor(moment / this.#step));
  }

  /** Waits until this moment of `performance.now()`, or up to a step of the wheel more. */
  setAfter(timer: Timer, moment: number): void {
    this.#set(timer, Math.ceil(moment / this.#step));
  }

  /** Waits no longer. */
  clear(timer: Timer): void {
    if (timer.step >= 0) this.#unlink(timer);
    timer.step = NOWHERE;
    if (this.#waiting === 0) this.#stopAlarm();
  }

  #set(timer: Timer, step: number): void {
    if (timer.step >= 0) this.#unlink(timer);
    // While nobody waited, nobody saw to the steps that went by.
    if (this.#waiting === 0) this.#done = Math.floor(performance.now() / this.#step);
    const at = Math.max(step, this.#done + 1);
    const slot = at % SLOTS;
    const first = this.#slots[slot];
    if (first !== undefined) first.previous = timer;
    timer.next = first;
    timer.step = at;
    this.#slots[slot] = timer;
    this.#waiting++;
    if (at < this.#alarm) this.#setAlarm(at);
  }

  #unlink(timer: Timer): void {
    const { step, next, previous } = timer;
    if (previous === undefined) this.#slots[step % SLOTS] = next;
    else previous.next = next;
    if (next !== undefined) next.previous = previous;
    timer.next = undefined;
    timer.previous = undefined;
    this.#waiting--;
  }

  #setAlarm(step: number): void {
    clearTimeout(this.#handle);
    this.#alarm = step;
    const wait = Math.ceil(step * this.#step - performance.now());
    this.#handle = setTimeout(this.#ring, Math.max(0, wait));
  }

  #stopAlarm(): void {
    clearTimeout(this.#handle);
    this.#alarm = Infinity;
  }

  readonly #ring = (): void => {
    this.#alarm = Infinity;
    // A runtime's timer may be early by a part of a millisecond; then this finds nothing due.
    const now = Math.floor(performance.now() / this.#step);
    const due: Timer[] = [];
    const last = Math.min(now, this.#done + SLOTS);
    for (let step = this.#done + 1; step <= last; step++) this.#take(step % SLOTS, now, due);
    this.#done = Math.max(this.#done, now);
    if (this.#waiting > 0) this.#setAlarm(this.#nextStep());
    for (const timer of due) {
      // One before it may have stopped it, or set it anew.
      if (timer.step !== DUE) continue;
      timer.step = NOWHERE;
      try {
        timer.due();
      } catch (error) {
        // As a timer of its own would end: nobody can catch it, and the others go on.
        queueMicrotask(() => {
          throw error;
        });
      }
    }
  };

  #take(slot: number, now: number, due: Timer[]): void {
    let timer = this.#slots[slot];
    while (timer !== undefined) {
      const { next }: Timer = timer;
      // After a blocked loop a slot may hold what is due a round later, too.
      if (timer.step <= now) {
        this.#unlink(timer);
        timer.step = DUE;
        due.push(timer);
      }
      timer = next;
    }
  }

  #nextStep(): number {
    let step = this.#done + 1;
    while (this.#slots[step % SLOTS] === undefined) step++;
    return step;
  }
}
