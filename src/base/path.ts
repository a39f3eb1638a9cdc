/** Paths of a configuration. */

/** An absolute path stays as it is; a relative one is put below `folder`. */
export function resolvePath(folder: string, relative: string): string {
  if (/^(?:[/\\]|[A-Za-z]:[/\\])/.test(relative)) return relative;
  const parent = folder === "" ? "." : folder.replace(/[/\\]$/, "");
  return `${parent}/${relative.replace(/^\.\//, "")}`;
}
