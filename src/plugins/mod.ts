/**
 * Imports the modules of plugins on each platform. Packages are found from the folder of the
 * configuration, and a plugin that has no `@weir/runtime` of its own gets this one.
 *
 * May import base/.
 */
import type { Clock } from "../base/clock.ts";
import { asPluginError } from "./failure.ts";
import { locate } from "./locate.ts";
import { importModule } from "./this-package.ts";

export { PluginReloader } from "./reloader.ts";

/**
 * Imports a module of plugins and returns its exports.
 *
 * @throws {PluginError} It does not exist, is not installed or cannot be imported.
 */
export async function importPlugin(
  specifier: string,
  folder: string,
  clock?: Clock,
): Promise<unknown> {
  const url = await locate(specifier, folder);
  try {
    return await importModule(url, clock);
  } catch (error) {
    throw asPluginError(error, url);
  }
}
