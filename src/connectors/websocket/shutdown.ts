/** How the clients of a server that ends are told: spread over a while, so that they do not return together. */

/** From so many clients on the whole time is used; each of fewer takes its part of it. */
const MANY = 20;

/** What is told that the server ends. */
export interface Leaver {
  /** Closes it; resolves when it is gone. */
  shutDown(): Promise<void>;
}

/** Closes each at a random moment of the next `spread` milliseconds; resolves when all are gone. */
export async function shutDownAll(leavers: readonly Leaver[], spread: number): Promise<void> {
  const time = spread * Math.min(1, leavers.length / MANY);
  await Promise.all(leavers.map(async (leaver) => {
    const delay = Math.random() * time;
    if (delay > 0) await new Promise((resolve) => setTimeout(resolve, delay));
    await leaver.shutDown();
  }));
}
