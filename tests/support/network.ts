/** Hosts with addresses of their own on one machine: network namespaces, which Linux lets root make. */
import { execFile } from "node:child_process";
import process from "node:process";
import { pause } from "./socket-probe.ts";

let made = 0;

/** A host. */
export interface Host {
  /** Words before a command that is to run there. */
  readonly before: readonly string[];
  /** Where this process finds it. */
  readonly front: string;
  /** Where the other hosts find it. */
  readonly back: string;
  /** Whether what it sends to the other hosts, and they to it, arrives. Nobody is told. */
  reach(arrives: boolean): Promise<void>;
}

/** Why this machine has no such hosts; undefined where it has. */
export async function whyNoHosts(): Promise<string | undefined> {
  if (process.platform !== "linux") return "only Linux has network namespaces";
  const name = `weir-${process.pid}-probe`;
  try {
    await run("ip", "netns", "add", name);
    await run("ip", "netns", "del", name);
    return undefined;
  } catch (error) {
    return `no network namespace can be made: ${(error as Error).message.trim()}`;
  }
}

/**
 * Calls `act` with hosts. The first has a bridge, to which each of the others has a link. Another link
 * of each leads to this process. Nothing is left of them afterwards.
 */
export async function withHosts(
  count: number,
  act: (hosts: readonly Host[]) => Promise<void>,
): Promise<void> {
  // What was just removed is there for a moment: others have other names and addresses.
  const id = `w${process.pid % 10_000}x${++made}`;
  const network = `10.${200 + made % 50}`;
  const names = Array.from({ length: count }, (_, index) => `${id}-${index}`);
  const [middle] = names;
  try {
    for (const name of names) {
      await run("ip", "netns", "add", name);
      await inside(name, "ip", "link", "set", "lo", "up");
    }
    await inside(middle, "ip", "link", "add", "bridge", "type", "bridge");
    await inside(middle, "ip", "addr", "add", `${network}.250.1/24`, "dev", "bridge");
    await inside(middle, "ip", "link", "set", "bridge", "up");
    for (const [index, name] of names.entries()) {
      await link(`${id}f${index}`, name, `${network}.${index}`);
      if (index > 0) await attach(`${id}b${index}`, middle, name, `${network}.250.${index + 1}`);
    }
    await act(names.map((name, index) => ({
      before: ["ip", "netns", "exec", name],
      front: `${network}.${index}.2`,
      back: `${network}.250.${index + 1}`,
      reach(arrives) {
        const words = arrives ? ["master", "bridge"] : ["nomaster"];
        return inside(middle, "ip", "link", "set", `${id}b${index}`, ...words);
      },
    })));
  } finally {
    for (const [index, name] of names.entries()) {
      await remove("netns", name);
      await remove("link", `${id}f${index}`);
    }
  }
}

/** Removes what may not be there. Where it is busy for a moment, tries again. */
async function remove(kind: "link" | "netns", name: string): Promise<void> {
  for (let tries = 0; tries < 20; tries++) {
    try {
      await run("ip", kind, "del", name);
    } catch (error) {
      if (/Cannot find device|No such file/.test((error as Error).message)) return;
      await pause(50);
    }
  }
}

/** The link between this process and a host. */
async function link(device: string, name: string, subnet: string): Promise<void> {
  await run("ip", "link", "add", device, "type", "veth", "peer", "name", "front", "netns", name);
  await run("ip", "addr", "add", `${subnet}.1/30`, "dev", device);
  await run("ip", "link", "set", device, "up");
  await inside(name, "ip", "addr", "add", `${subnet}.2/30`, "dev", "front");
  await inside(name, "ip", "link", "set", "front", "up");
}

/** The link between a host and the bridge. */
async function attach(
  device: string,
  middle: string,
  name: string,
  address: string,
): Promise<void> {
  const peer = ["peer", "name", "back", "netns", name];
  await inside(middle, "ip", "link", "add", device, "type", "veth", ...peer);
  await inside(middle, "ip", "link", "set", device, "master", "bridge", "up");
  await inside(name, "ip", "addr", "add", `${address}/24`, "dev", "back");
  await inside(name, "ip", "link", "set", "back", "up");
}

function inside(name: string, ...command: readonly string[]): Promise<void> {
  return run("ip", "netns", "exec", name, ...command);
}

function run(program: string, ...args: readonly string[]): Promise<void> {
  return new Promise((resolve, reject) => {
    execFile(program, args, (error, _, stderr) => {
      if (error === null) resolve();
      else reject(new Error(`${[program, ...args].join(" ")}: ${stderr || error.message}`));
    });
  });
}
