/** Reads the JUnit reports of `deno test`, `bun test` and `node --test`. */

/** One test and how it went. */
export interface TestCase {
  readonly name: string;
  /** The file that it is in: relative to the working directory or absolute, as the runtime has it. */
  readonly file: string;
  readonly result: "passed" | "failed" | "skipped";
  /** Why it was skipped; empty where the report doesn't say. */
  readonly reason: string;
}

/** The tests of one report, in its order. */
export function parseReport(xml: string): TestCase[] {
  const cases: TestCase[] = [];
  for (const [, attributeText, body = ""] of xml.matchAll(testcase)) {
    const attributes = parseAttributes(attributeText);
    const name = attributes.get("name") ?? "";
    const failed = /<(?:failure|error)\b/.test(body);
    const skipped = /<skipped\b([^>]*)>/.exec(body);
    const reason = skipped === null ? "" : parseAttributes(skipped[1]).get("message") ?? "";
    cases.push({
      name: name.replaceAll(/\s+/g, " "),
      // Deno has it as the name of the class.
      file: attributes.get("file") ?? attributes.get("classname") ?? "",
      result: failed ? "failed" : skipped === null ? "passed" : "skipped",
      reason: reason === "true" ? "" : reason,
    });
  }
  return cases;
}

// Node leaves `>` as it is within attributes, so their quotes must be followed.
const testcase = /<testcase((?:\s+[\w:-]+="[^"]*")*)\s*(?:\/>|>([\s\S]*?)<\/testcase>)/g;

function parseAttributes(text: string): Map<string, string> {
  const attributes = new Map<string, string>();
  for (const [, name, value] of text.matchAll(/([\w:-]+)="([^"]*)"/g)) {
    attributes.set(name, unescape(value));
  }
  return attributes;
}

const entities = new Map([["lt", "<"], ["gt", ">"], ["quot", '"'], ["apos", "'"], ["amp", "&"]]);

function unescape(text: string): string {
  return text.replaceAll(/&(?:#(\d+)|#x([\da-f]+)|(\w+));/gi, (whole, decimal, hex, name) => {
    if (decimal !== undefined) return String.fromCodePoint(Number(decimal));
    if (hex !== undefined) return String.fromCodePoint(Number.parseInt(hex, 16));
    return entities.get(name) ?? whole;
  });
}
