/** The workers of a service, as Linux sees their processes. */
import assert from "node:assert/strict";
import { readdir, readFile, readlink } from "node:fs/promises";
import process from "node:process";
import { WORKER_ARGUMENT } from "../../src/server/host.ts";
import { until } from "./mq.ts";
import type { SocketClient } from "./socket-client.ts";

/** Process ids begin anew at the end of their range, so that a lower one may be the later one. */
const MANY_PIDS = 10_000;

/** The processes that a process has started, in that order. */
export async function childrenOf(parent: number): Promise<number[]> {
  // Each thread has a list of its own. To read all of /proc instead takes a hundred times as long.
  const threads = await readdir(`/proc/${parent}/task`).catch(() => []);
  const lists = await Promise.all(
    threads.map((id) => readFile(`/proc/${parent}/task/${id}/children`, "utf8").catch(() => "")),
  );
  const found: { readonly pid: number; readonly startedAt: number }[] = [];
  for (const pid of lists.join(" ").match(/\d+/g) ?? []) {
    // "PID (NAME) STATE PARENT …", and the name may hold anything.
    const stat = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => "");
    const [state, , ...more] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    if (stat === "" || state === "Z") continue;
    found.push({ pid: Number(pid), startedAt: Number(more[17]) });
  }
  found.sort((a, b) => {
    if (a.startedAt !== b.startedAt) return a.startedAt - b.startedAt;
    const distance = a.pid - b.pid;
    return Math.abs(distance) < MANY_PIDS ? distance : -distance;
  });
  return found.map(({ pid }) => pid);
}

/** Waits until a process is gone, or is a zombie that nobody has waited for yet. */
export async function gone(pid: number): Promise<void> {
  await until(`process ${pid} is gone`, async () => {
    const stat = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => "0 (gone) Z 0");
    return /^.*\) Z /s.test(stat);
  }, 20_000);
}

/**
 * Gives a function that stops a worker. Where the test fails, the stopped workers are killed: they have
 * the output of their service open, and the end of a stage waits until all of it is closed.
 */
export async function withStops(
  run: (stop: (pid: number) => Promise<void>) => Promise<void>,
): Promise<void> {
  const stopped: number[] = [];
  try {
    await run(async (pid) => {
      // Before that, its service waits for it inside `spawn`, and would stand still as well.
      await until(`process ${pid} runs its program`, () => runsWorker(pid));
      stopped.push(pid);
      process.kill(pid, "SIGSTOP");
    });
  } catch (error) {
    for (const pid of stopped) {
      if (await runsWorker(pid)) process.kill(pid, "SIGKILL");
    }
    throw error;
  }
}

/** False between the start of a process and the start of its program, and after its end. */
async function runsWorker(pid: number): Promise<boolean> {
  const commandLine = await readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => "");
  return commandLine.split("\0").includes(WORKER_ARGUMENT);
}

/** How many sockets of a process listen on a port. */
export async function listenersOn(pid: number, port: number): Promise<number> {
  const inodes = new Set<string>();
  for (const file of ["/proc/net/tcp", "/proc/net/tcp6"]) {
    for (const line of (await readFile(file, "utf8")).split("\n").slice(1)) {
      const columns = line.trim().split(/\s+/);
      const listens = columns[3] === "0A" && parseInt(columns[1].split(":")[1], 16) === port;
      if (listens) inodes.add(`socket:[${columns[9]}]`);
    }
  }
  const links = await linksOf(pid);
  return links.filter((link) => inodes.has(link)).length;
}

/** What the descriptors of a process are; none where it has ended. */
async function linksOf(pid: number): Promise<string[]> {
  const descriptors = await readdir(`/proc/${pid}/fd`).catch(() => []);
  return await Promise.all(
    descriptors.map((fd) => readlink(`/proc/${pid}/fd/${fd}`).catch(() => "")),
  );
}

/** Which of the processes each client is connected to, in the order of the clients. */
export async function ownersOf(
  pids: readonly number[],
  clients: readonly SocketClient[],
): Promise<number[]> {
  const owners = new Map<string, number>();
  for (const pid of pids) {
    for (const link of await linksOf(pid)) {
      const [, inode] = /^socket:\[(\d+)\]$/.exec(link) ?? [];
      if (inode !== undefined) owners.set(inode, pid);
    }
  }
  const ports = new Map<number, number>();
  for (const file of ["/proc/net/tcp", "/proc/net/tcp6"]) {
    for (const line of (await readFile(file, "utf8")).split("\n").slice(1)) {
      const columns = line.trim().split(/\s+/);
      const owner = owners.get(columns[9]);
      // The remote side of a server's socket is the client.
      const remote = parseInt(columns[2]?.split(":")[1] ?? "", 16);
      if (owner !== undefined) ports.set(remote, owner);
    }
  }
  return clients.map(({ socket }) => {
    const owner = ports.get(socket.localPort ?? 0);
    assert.ok(owner !== undefined, `nobody has the client on port ${socket.localPort}`);
    return owner;
  });
}
