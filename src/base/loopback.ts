/** The addresses of this machine that no other machine reaches. */

const LOOPBACK: readonly string[] = ["127.0.0.1", "::1", "localhost"];

/** Whether a listener on this host is reached from this machine only. */
export function isLoopback(host: string): boolean {
  return LOOPBACK.includes(host);
}
