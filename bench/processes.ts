/** CPU time and memory of a process with its threads and children, read from Linux. */

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
 * Resident heaps and stacks of a process and its children, in bytes. A page that they share counts
 * once. Pages of files do not count: their share depends on other programs.
 */
export async function memoryOf(pid: number): Promise<number> {
  let bytes = 0;
  for (const each of await treeOf(pid)) {
    const text = await read(`/proc/${each}/smaps_rollup`) ?? "";
    bytes += kilobytes(text, "Pss_Anon") * 1024;
  }
  return bytes;
}

/** The process ids of a process and its descendants. */
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

/** CPU seconds of one process, including threads that have ended. */
export function clockOf(pid: number): number {
  if (libc === undefined) throw new Error("CPU time can be read on Linux only");
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
