/** What a process costs, with all its threads and children: read from Linux. */

const libc = Deno.build.os === "linux"
  ? Deno.dlopen("libc.so.6", {
    clock_gettime: { parameters: ["i32", "buffer"], result: "i32" },
  })
  : undefined;

/** CPU seconds, user and system, of a process and its children since their start. */
export async function cpuOf(pid: number): Promise<number> {
  return (await treeOf(pid)).reduce((seconds, each) => seconds + clockOf(each), 0);
}

/**
 * Bytes of memory that a process and its children hold: heaps and stacks, resident, a page that they
 * share counted once. Pages of files are not among them: their share depends on who else runs.
 */
export async function memoryOf(pid: number): Promise<number> {
  let bytes = 0;
  for (const each of await treeOf(pid)) {
    const text = await read(`/proc/${each}/smaps_rollup`) ?? "";
    bytes += kilobytes(text, "Pss_Anon") * 1024;
  }
  return bytes;
}

/** A process and all that descend from it. */
export async function treeOf(root: number): Promise<number[]> {
  const children = new Map<number, number[]>();
  for await (const { name } of Deno.readDir("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    // "PID (NAME) STATE PARENT …", and the name may hold anything.
    const parent = Number((await read(`/proc/${name}/stat`))?.match(/^.*\) \S (\d+)/s)?.[1]);
    children.set(parent, [...children.get(parent) ?? [], Number(name)]);
  }
  const tree = [root];
  for (const pid of tree) tree.push(...children.get(pid) ?? []);
  return tree;
}

/** CPU seconds of one process, with threads that have ended: a clock of Linux, in nanoseconds. */
export function clockOf(pid: number): number {
  if (libc === undefined) throw new Error("CPU time is read from Linux alone");
  const time = new BigInt64Array(2);
  // What clock_getcpuclockid(3) computes.
  const clock = (~pid << 3) | 2;
  // A process that has just ended has no clock any more.
  if (libc.symbols.clock_gettime(clock, new Uint8Array(time.buffer)) !== 0) return 0;
  return Number(time[0]) + Number(time[1]) / 1e9;
}

function kilobytes(text: string, name: string): number {
  return Number(text.match(new RegExp(`^${name}:\\s+(\\d+) kB`, "m"))?.[1] ?? 0);
}

/** A file of a process; undefined once the process is gone. */
async function read(path: string): Promise<string | undefined> {
  try {
    return await Deno.readTextFile(path);
  } catch (error) {
    // ESRCH, for one that ends while it is read, has no class of its own.
    if (error instanceof Error && /os error [23]\b/.test(error.message)) return undefined;
    throw error;
  }
}
