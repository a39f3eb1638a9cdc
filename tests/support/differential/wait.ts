/** Waits for what takes some turns of the event loop in memory, and milliseconds over a network. */

/** How long it may take, in milliseconds. */
const PATIENCE = 10_000;
/** After this many turns it looks less often. */
const TURNS = 100;

/** Waits until something is so. */
export async function wait(what: string, condition: () => boolean): Promise<void> {
  const began = performance.now();
  for (let turns = 0; !condition(); turns++) {
    if (performance.now() > began + PATIENCE) throw new Error(`timed out waiting for: ${what}`);
    await new Promise<void>((resolve) => {
      if (turns < TURNS) setImmediate(resolve);
      else setTimeout(resolve, 1);
    });
  }
}
