/** Reports folders that a connector needs and that do not exist. */
import { placesOf } from "../contract/places.ts";
import type { ConnectorModel } from "../model/mod.ts";
import type { Report } from "../hcl/tree.ts";
import { named } from "./warnings/flow.ts";

/** Whether there is a folder at a path. */
export type HasFolder = (path: string) => boolean | Promise<boolean>;

/** Reports each folder that an attribute of a connector names and that a start would not find. */
export async function requireFolders(
  connector: ConnectorModel,
  hasFolder: HasFolder,
  report: Report,
): Promise<void> {
  const { definition, options } = connector;
  for (const { path, attribute } of definition.files?.(options) ?? []) {
    if (attribute === undefined || await hasFolder(path)) continue;
    const places = placesOf(options as Record<string, unknown>);
    const written = places.attribute(attribute)?.value;
    report({
      code: "missing-folder",
      span: places.of(attribute),
      message: `${named(connector)}: the folder of ${attribute} does not exist: "${written}"`,
      hint: `make the folder, which is relative to this file, or leave ${attribute} out`,
    });
  }
}
