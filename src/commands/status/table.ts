/** A table as text. */

/** The lines of a table. Columns are as wide as their widest cell; numbers are at the right. */
export function formatTable(
  head: readonly string[],
  rows: readonly (readonly (string | number)[])[],
): readonly string[] {
  const all = [head, ...rows.map((row) => row.map(String))];
  const widths = head.map((_, column) => Math.max(...all.map((row) => widthOf(row[column]))));
  const isNumber = head.map((_, column) => rows.some((row) => typeof row[column] === "number"));
  return all.map((row) =>
    row.map((cell, column) => {
      const space = " ".repeat(widths[column] - widthOf(cell));
      return isNumber[column] ? space + cell : cell + space;
    }).join("  ").trimEnd()
  );
}

function widthOf(text: string): number {
  return [...text].length;
}
