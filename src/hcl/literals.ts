/** HCL literals: what quoted text, numbers and heredocs mean, without anything to compute. */

const escapes: Readonly<Record<string, string>> = {
  n: "\n",
  r: "\r",
  t: "\t",
  '"': '"',
  "\\": "\\",
};

/** The text that the inside of a quoted string represents, without templates. */
export function unescape(written: string): string {
  return written.replace(
    /\\(?:u([0-9A-Fa-f]{4})|U([0-9A-Fa-f]{8})|(.))|\$\$\{|%%\{/g,
    (whole, short?: string, long?: string, char?: string) => {
      if (whole.length === 3 && whole.endsWith("{")) return whole.slice(1);
      const code = short ?? long;
      if (code !== undefined) return codePoint(parseInt(code, 16));
      return char !== undefined && Object.hasOwn(escapes, char) ? escapes[char] : whole;
    },
  );
}

/** The text that a literal piece of a heredoc represents. */
export function unescapeHeredoc(written: string): string {
  return written.replace(/\$\$\{|%%\{/g, (whole) => whole.slice(1));
}

function codePoint(code: number): string {
  return code > 0x10FFFF ? "\uFFFD" : String.fromCodePoint(code);
}

/** The value of a literal that needs no evaluation; undefined for everything else. */
export function plainLiteral(written: string): { readonly value: unknown } | undefined {
  if (isOneString(written) && !/[$%]\{/.test(written)) {
    return { value: unescape(written.slice(1, -1)) };
  }
  if (/^-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?$/.test(written)) {
    const value = Number(written);
    return Number.isFinite(value) ? { value } : undefined;
  }
  if (written === "true" || written === "false") return { value: written === "true" };
  return written === "null" ? { value: null } : undefined;
}

/** True for one quoted string that represents exactly what is between its quotes. */
export function isVerbatim(written: string): boolean {
  return isOneString(written) && !written.includes("\\") && !/[$%]\{/.test(written);
}

/** Without a regular expression: one for this runs out of stack where the string is long. */
function isOneString(written: string): boolean {
  if (written.length < 2 || !written.startsWith('"') || !written.endsWith('"')) return false;
  for (let at = 1; at < written.length - 1; at++) {
    if (written[at] === '"' || written[at] === "\n") return false;
    if (written[at] === "\\" && ++at === written.length - 1) return false;
  }
  return true;
}

/**
 * Takes the common indentation from the pieces of a `<<-` heredoc, as HCL does: blank lines do not
 * count. Null represents an interpolation between two pieces.
 */
export function dedent<Piece extends string | null>(pieces: readonly Piece[]): (Piece | string)[] {
  const lineStart = /(^|\n)(?![ \t]*\r?\n)([ \t]*)/g;
  const forEachLine = (edit: (indent: string) => string): (Piece | string)[] =>
    pieces.map((piece, index) => {
      if (piece === null) return piece;
      return piece.replace(lineStart, (whole, newline: string, indent: string, at: number) => {
        const afterInterpolation = newline === "" && index > 0;
        const closingLine = index === pieces.length - 1 && at + whole.length === piece.length;
        return afterInterpolation || closingLine ? whole : newline + edit(indent);
      });
    });
  let least = Infinity;
  forEachLine((indent) => {
    least = Math.min(least, indent.length);
    return indent;
  });
  return forEachLine((indent) => indent.slice(least));
}

/** A value as HCL writes it into a template; undefined if it cannot be part of one. */
export function templateText(value: unknown): string | undefined {
  if (typeof value === "string") return value;
  if (typeof value === "boolean") return String(value);
  if (typeof value !== "number") return undefined;
  return Number.isInteger(value) ? String(BigInt(value)) : String(value);
}
