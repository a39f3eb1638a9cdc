/** Texts as expressions, and expressions as the values of attributes. */

/** The text as an expression, in single quotes. */
export function literalOf(text: string): string {
  return `'${text.replace(/[\\']/g, "\\$&").replaceAll("\n", "\\n")}'`;
}

/** The expression as the value of an attribute, in double quotes. */
export function attributeOf(expression: string): string {
  return JSON.stringify(expression).replaceAll("${", "$${").replaceAll("%{", "%%{");
}

/** The two marks around a value in a template, in each language. */
const MARKS = [["${", "}"], ["{{", "}}"], ["#{", "}"]] as const;

/**
 * `Hello, ${name}` as an expression that joins texts and values; undefined where the text has no
 * value in it. Backticks around it are left out.
 */
export function joined(text: string): string | undefined {
  const trimmed = text.trim();
  const isQuoted = trimmed.length > 1 && trimmed.startsWith("`") && trimmed.endsWith("`");
  const inner = isQuoted ? trimmed.slice(1, -1) : trimmed;
  const marks = MARKS.find(([open]) => inner.includes(open));
  if (marks === undefined || inner.includes("`")) {
    return isQuoted && !inner.includes("`") ? literalOf(inner) : undefined;
  }
  const [open, close] = marks;
  const [start, ...rest] = inner.split(open);
  const parts = start === "" ? [] : [literalOf(start)];
  for (const part of rest) {
    const end = part.indexOf(close);
    if (end < 0) return undefined;
    const value = part.slice(0, end).trim();
    parts.push(/^[\w.[\]]+$/.test(value) ? value : `(${value})`);
    const after = part.slice(end + close.length);
    if (after !== "") parts.push(literalOf(after));
  }
  return parts.join(" + ");
}
