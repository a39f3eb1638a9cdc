/** What `weir run` does with and without `--watch`. */
import { formatProblem, type Problem } from "../base/problem.ts";
import type { Configuration } from "../runtime/load.ts";
import type { Model } from "../model/mod.ts";
import { didYouMean } from "../base/nearest.ts";
import type { ServeOptions, Service } from "../server/mod.ts";
import { type RunCommand, UsageError } from "./arguments.ts";

/** `serve` of a runtime's entrypoint. */
export type Serve = (config: Configuration, options?: ServeOptions) => Promise<Service>;

/** Ports by the name of a connector. */
export type Ports = Readonly<Record<string, number>>;

/**
 * Refuses `--port` for unknown connectors, and `--admin-port` without an admin port.
 *
 * @throws {UsageError} It names the connectors of the model.
 */
export function refuseUnknownPorts(
  { ports, adminPort }: Pick<RunCommand, "ports" | "adminPort">,
  { connectors, service }: Model,
): void {
  if (adminPort !== undefined && service.admin === undefined) {
    throw new UsageError(
      `--admin-port ${adminPort}: the configuration has no admin_port to replace`,
    );
  }
  for (const [name, port] of Object.entries(ports)) {
    if (connectors.has(name)) continue;
    const hint = didYouMean(name, connectors.keys()) ??
      `one of ${[...connectors.keys()].join(", ")}`;
    throw new UsageError(`--port ${name}=${port}: there is no connector "${name}"; ${hint}`);
  }
}

/** The warnings that a start prints: what the tests leave out is for `weir check` alone. */
export function warningsOfStart({ warnings }: Pick<Model, "warnings">): readonly Problem[] {
  return warnings.filter(({ code }) => code !== "untested-operation");
}

/** Prints the warnings to standard error. */
export function printWarnings(warnings: readonly Problem[]): void {
  for (const warning of warnings) console.error(`${formatProblem(warning)}\n`);
}

/** The name and version of the service in the lines that the command prints. */
export function titleOf({ service: { name, version } }: Model): string {
  return name === undefined ? "weir" : version === undefined ? name : `${name} ${version}`;
}

/** Prints the addresses of a service and its admin port. `what` such as "is ready" took the time since `startedAt`. */
export function announce(
  title: string,
  what: string,
  startedAt: number,
  { addresses, admin }: Service,
  workers = 1,
): void {
  const duration = Math.round(performance.now() - startedAt);
  const list = addresses.length === 0 ? "no connector listens" : addresses.join("  ");
  const by = workers === 1 ? "" : ` with ${workers} workers`;
  console.log(`${title} ${what} in ${duration} ms${by}: ${list}`);
  if (admin !== undefined) console.log(`admin port: ${admin.url}`);
}
