/** Lines of other languages as lines of HCL. */

/** A line as it should be, and why. */
export interface CorrectLine {
  /** The line, without the blanks around it. */
  readonly text: string;
  /** What is wrong with the line as it is, in a few words. */
  readonly reason: string;
}

const NAME = /^["']?([\p{ID_Start}_][\p{ID_Continue}-]*)["']?[ \t]*/u;
const SEPARATOR = /^(?::=|=>|==|:|=)?[ \t]*/;
const BLOCK = /^[\p{ID_Start}_][\p{ID_Continue}-]*(?:[ \t]+["'][^"']*["'])*[ \t]*[=:][ \t]*\{$/u;
const VALUE = /^(?:"(?:[^"\\]|\\.)*"|-?\d[\d.]*|true|false|null)$/;
const DECLARATION = /^(?:const|let|var|export|set|val|def|final)[ \t]+(\w+)[ \t]*:?=[ \t]*/;

/** The words of other languages for values, and HCL's. */
const WORDS: ReadonlyMap<string, string> = new Map([["and", "&&"], ["or", "||"]]);

/** The line in HCL; undefined where it is not known what was meant. */
export function correctLine(line: string): CorrectLine | undefined {
  const written = line.trim();
  const comment = asComment(written);
  if (comment !== undefined) return comment;
  const declared = DECLARATION.exec(written);
  if (declared !== null) {
    const value = withoutEnd(written.slice(declared[0].length));
    const [, name] = declared;
    const text = `constants { ${name} = ${value} }, and constants.${name} where it is read`;
    return { text, reason: "a constant needs a block constants" };
  }
  if (BLOCK.test(written)) {
    const header = written.slice(0, -1).trimEnd().slice(0, -1).trimEnd();
    return { text: `${withDoubleQuotes(header)} {`, reason: 'a block has no "=" or ":"' };
  }
  const reasons: string[] = [];
  let text = withoutTrailingComment(written);
  if (text !== written) reasons.push("a comment begins with #");
  const ended = withoutEnd(text);
  if (ended !== text) reasons.push(`a line needs no "${text.at(-1)}" at its end`);
  const quoted = withDoubleQuotes(ended);
  if (quoted !== ended) reasons.push("a text needs double quotes");
  text = asAttribute(quoted, reasons);
  return reasons.length === 0 || text === written
    ? undefined
    : { text, reason: reasons.slice(0, 2).join(", and ") };
}

/** A comment of SQL, HTML or a shell on a line of its own. */
function asComment(written: string): CorrectLine | undefined {
  const start = ["<!--", "--", ";", "%", "REM "].find((mark) => written.startsWith(mark));
  if (start === undefined || written === "---") return undefined;
  const words = written.slice(start.length).replace("-->", "").trim();
  return { text: `# ${words}`, reason: "a comment begins with #" };
}

/** `name = value` as HCL has it. */
function asAttribute(written: string, reasons: string[]): string {
  const found = NAME.exec(written);
  if (found === null) return written;
  const rest = written.slice(found[0].length);
  const [separator] = SEPARATOR.exec(rest) ?? [""];
  const value = rest.slice(separator.length);
  const sign = separator.trim();
  // Without a sign it is a value only where it cannot be the label of a block.
  if (value === "" || (sign === "" && !VALUE.test(value)) || value.endsWith("{")) return written;
  if (sign !== "=") {
    reasons.push(sign === "" ? '"=" is missing' : `"=" sets a value, not "${sign}"`);
  } else if (/^["']/.test(written)) reasons.push("a name has no quotes");
  return `${found[1]} = ${asValue(value, reasons)}`;
}

/** The value as HCL has it. */
function asValue(value: string, reasons: string[]): string {
  const variable = /^(?:\$\{?|%)([A-Za-z_]\w*)[}%]?$/.exec(value);
  if (variable !== null) {
    reasons.push("a variable of the environment is read with env()");
    return `env("${variable[1]}")`;
  }
  const call = /^env\(("[^"]*")\)[ \t]*(?:\?\?|\|\||or)[ \t]*/.exec(value);
  if (call !== null) {
    reasons.push("env() takes the default as its second value");
    return `env(${call[1]}, ${value.slice(call[0].length)})`;
  }
  const type = /^([a-z_]+)\[\]$/.exec(value);
  if (type !== null) {
    reasons.push("a list is written array(…)");
    return `array(${type[1]})`;
  }
  const optional = /^([a-z_]+)(?:[ \t]*\|[ \t]*(?:null|undefined)|\?)$/.exec(value);
  if (optional !== null) {
    reasons.push("a field that may be missing has required = false");
    return `${optional[1]}({ required = false })`;
  }
  if (/^(?:\/|\.{1,2}\/|@|\*)[^"'\s]*$/.test(value) || /^\d[\d.]*[A-Za-z]+$/.test(value)) {
    reasons.push("a text needs double quotes");
    return `"${value}"`;
  }
  if (value.includes('"') || value.includes("'")) return value;
  const words = value.split(" ");
  if (!words.some((word) => WORDS.has(word) || word === "not")) return value;
  reasons.push("&& means and, || means or, ! means not");
  return words.map((word) => WORDS.get(word) ?? word).join(" ").replaceAll("not ", "!");
}

/** Without the comma or semicolon at its end. */
function withoutEnd(text: string): string {
  return text.endsWith(",") || text.endsWith(";") ? text.slice(0, -1).trimEnd() : text;
}

/** Without a comment of SQL behind a value. */
function withoutTrailingComment(text: string): string {
  const [comment] = [...text.matchAll(/"(?:[^"\\]|\\.)*"?|'[^']*'?| -- /g)]
    .filter(([found]) => found === " -- ");
  if (comment === undefined) return text;
  const { index } = comment;
  return `${text.slice(0, index).trimEnd()} # ${text.slice(index + 4)}`;
}

/** With double quotes in the place of single ones, where these are no part of a text. */
function withDoubleQuotes(text: string): string {
  return text.replace(
    /"(?:[^"\\]|\\.)*"?|'([^'"]*)'/g,
    (found, inner?: string) => inner === undefined ? found : `"${inner}"`,
  );
}
