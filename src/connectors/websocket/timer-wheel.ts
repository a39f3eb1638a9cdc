/** Many timers of about the same length that share one timer of the runtime. No I/O. */

/** The steps of a timer that does not wait, and of one that is called next. */
const NOT_SET = -1;
const DUE = -2;

/** A timer on a wheel. Its fields link it into the wheel. */
export abstract class Timer {
  /** The step of the wheel that it waits for. */
  step = NOT_SET;
  /** The next timer of the slot. */
  next: Timer | undefined = undefined;
  /** The previous timer of the slot. */
  previous: Timer | undefined = undefined;

  /** Called when its time has come. An error that it throws is uncaught and stops no other timer. */
  abstract due(): void;
}

/** The number of moments that a wheel distinguishes. */
const SLOTS = 512;

/** A ring of moments. Setting and clearing cost the same for any number of timers. */
export class TimerWheel {
  /** Milliseconds from slot to slot. */
  readonly #step: number;
  readonly #slots: (Timer | undefined)[] = new Array(SLOTS).fill(undefined);
  /** The last step that was processed. */
  #done = 0;
  #waiting = 0;
  /** The step that the runtime's timer is set for. */
  #alarm = Infinity;
  #handle: ReturnType<typeof setTimeout> | undefined;

  /** No timer may wait longer than `max` milliseconds. */
  constructor(max: number) {
    // Two slots are for rounding.
    this.#step = Math.max(1, Math.ceil(max / (SLOTS - 2)));
  }

  /**
   * Sets a timer to this moment of `performance.now()` or up to a step earlier, but not before the
   * next step.
   */
  setBefore(timer: Timer, moment: number): void {
    this.#set(timer, Math.floor(moment / this.#step));
  }

  /** Sets a timer to this moment of `performance.now()` or up to a step later. */
  setAfter(timer: Timer, moment: number): void {
    this.#set(timer, Math.ceil(moment / this.#step));
  }

  /** Clears a timer. */
  clear(timer: Timer): void {
    if (timer.step >= 0) this.#unlink(timer);
    timer.step = NOT_SET;
    if (this.#waiting === 0) this.#stopAlarm();
  }

  #set(timer: Timer, step: number): void {
    if (timer.step >= 0) this.#unlink(timer);
    // Without timers no steps were processed.
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
    // The runtime may call a fraction of a millisecond early; then nothing is due.
    const now = Math.floor(performance.now() / this.#step);
    const due: Timer[] = [];
    const last = Math.min(now, this.#done + SLOTS);
    for (let step = this.#done + 1; step <= last; step++) this.#take(step % SLOTS, now, due);
    this.#done = Math.max(this.#done, now);
    if (this.#waiting > 0) this.#setAlarm(this.#nextStep());
    for (const timer of due) {
      // An earlier one may have cleared it or set it again.
      if (timer.step !== DUE) continue;
      timer.step = NOT_SET;
      try {
        timer.due();
      } catch (error) {
        // Like an error in a timer of the runtime: uncaught, and the others go on.
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
      // After a blocked event loop a slot may also have timers of the next round.
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
