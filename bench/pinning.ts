/** Keeps the server and the load generator on separate processor cores. */

/** The cores that commands run on. */
export interface Pinning {
  /** Text for the report: which cores are used. */
  readonly note: string;
  /** The command line of a server: core 0. */
  server(command: readonly string[]): string[];
  /** The command line of a program that may run on any core. */
  free(command: readonly string[]): string[];
}

/**
 * Moves this process to core 1, with everything that it starts, and servers to core 0. Where there
 * is no taskset or only one core, nothing is pinned, and the note says why.
 */
export async function pin(): Promise<Pinning> {
  const cores = navigator.hardwareConcurrency;
  if (cores < 2) return unpinned("one core");
  try {
    const { success, stderr } = await new Deno.Command("taskset", {
      args: ["--all-tasks", "--cpu-list", "--pid", "1", String(Deno.pid)],
      stdout: "null",
    }).output();
    if (!success) return unpinned(new TextDecoder().decode(stderr).trim());
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return unpinned("no taskset");
    throw error;
  }
  return {
    note: "servers on core 0, load on core 1",
    server: (command) => ["taskset", "--cpu-list", "0", ...command],
    // A child inherits the core of this process unless taskset sets another.
    free: (command) => ["taskset", "--cpu-list", `0-${cores - 1}`, ...command],
  };
}

function unpinned(reason: string): Pinning {
  const same = (command: readonly string[]) => [...command];
  return { note: `not pinned (${reason})`, server: same, free: same };
}
