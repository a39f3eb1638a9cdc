/**
 * No text can make a regular expression slow: each takes time that grows with the length of the
 * text alone, as `slowness` finds, or the list has it with the reason why it does no harm.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { slowness } from "../support/linear.ts";
import { read, sourceFiles } from "./graph.ts";
import { regexpsIn } from "./regexp-source.ts";

const CONFIGURATION = "it reads the text of the configuration, no client's: ";

/** What `slowness` cannot judge or judges too hard: file, expression, and why it is allowed. */
const allowed: ReadonlyArray<readonly [file: string, text: string, reason: string]> = [
  [
    "src/transport/deflate.ts",
    "RegExp(",
    "anchored, made of constants, and without any repetition",
  ],
  [
    "src/hcl/literals.ts",
    String.raw`/(^|\n)(?![ \t]*\r?\n)([ \t]*)/g`,
    CONFIGURATION + "the look-ahead and the blanks begin behind a line break alone, each once",
  ],
  [
    "src/hcl/structure.ts",
    'RegExp(`[ \\\\t]*${opening[1]}(?=[ \\\\t]*(?:\\\\r?\\\\n|$))`, "y");',
    CONFIGURATION + "sticky; a name separates the blanks",
  ],
  [
    "src/hcl/mistakes/lines.ts",
    String.raw`/"(?:[^"\\]|\\.)*"?|'[^']*'?| -- /g`,
    "a text that nothing ends is found as well, so no search begins inside of one",
  ],
  [
    "src/hcl/mistakes/lines.ts",
    String.raw`/"(?:[^"\\]|\\.)*"?|'([^'"]*)'/g`,
    "a text that nothing ends is found as well, so no search begins inside of one",
  ],
  [
    "src/hcl/syntax-problems.ts",
    "RegExp(`${place.source}: `));",
    "it reads the parser's own message, and begins with a fixed word",
  ],
  [
    "src/config/warnings/flow.ts",
    'RegExp(`(?<![\\\\w.])${names.join("\\\\s*\\\\.\\\\s*")}(?!\\\\w)`).exec(text);',
    CONFIGURATION + "a name begins it, and a dot separates the blanks",
  ],
  [
    "src/expression/mod.ts",
    String.raw`/(?<![\w.])([A-Za-z_]\w*)[.[]/g`,
    CONFIGURATION + "the look-behind lets it begin once in each word",
  ],
  [
    "src/base/duration.ts",
    String.raw`/(\d+)(?:\.(\d+))?(ms|us|µs|ns|[dhms])/g`,
    "it reads what WRITTEN accepts: it succeeds at once",
  ],
  [
    "src/base/duration.ts",
    'matchAll(AMOUNT)].map(([, whole, fraction = "", unit]) => {',
    "see AMOUNT",
  ],
  ["src/expression/kinds.ts", "/0+$/", "it reads nine digits"],
  ["src/expression/tokens.ts", "matchAll(ESCAPE)) {", "ESCAPE is a literal, and judged as one"],
  [
    "src/commands/init/project.ts",
    String.raw`/^[._~-]+|[._~-]+$/g`,
    "it reads the name of a folder, cut to the longest name of a package",
  ],
  ["src/node.ts", String.raw`/\/+$/`, "it reads an option of the program that embeds Weir"],
  ["src/type/formats.ts", "RFC_EMAIL_REGEX.test(text)) return false;", "at most 254 characters"],
  ["src/type/formats.ts", 'UUID_REGEX.test(text), "must be a UUID"),', "anchored, of fixed length"],
  ["src/type/formats.ts", "IP_REGEX.test(text),", "at most 45 characters"],
];

test("every regular expression takes linear time, or is listed with a reason", async () => {
  const listed = allowed.map(([file, text]) => `${file}: ${text}`).sort();
  const slow: string[] = [];
  const problems: string[] = [];
  for (const file of await sourceFiles()) {
    for (const { line, text, literal } of regexpsIn(await read(file))) {
      const reason = literal === undefined
        ? "it is made at run time"
        : slowness(literal.source, literal.flags);
      if (reason === undefined) continue;
      const entry = `${file}: ${text}`;
      slow.push(entry);
      if (!listed.includes(entry)) problems.push(`${file}:${line}: ${text}: ${reason}`);
    }
  }
  assert.deepEqual(problems, [], "rewrite these, or list them with the reason why they do no harm");
  assert.deepEqual(slow.sort(), listed, "the list has expressions that no source has");
});

test("regular expressions are found in code, not in comments and texts", () => {
  const found = (source: string) => regexpsIn(source).map(({ text }) => text);
  assert.deepEqual(found("const a = /b[/]c\\/d/gi.test(e) ? 1 / 2 / f : g[0] / h / i;"), [
    "/b[/]c\\/d/gi",
  ]);
  assert.deepEqual(found("// /a/\n/* /b/ */ const c = '/d/' + \"/e/\" + `/f/${/g/.test(h)}/i/`;"), [
    "/g/",
  ]);
  assert.deepEqual(found("if (a) /b/.test(c); return /d/;"), ["/b/", "/d/"]);
  assert.deepEqual(found("(a) / b / (c)"), []);
  assert.deepEqual(found("x = new RegExp(a);\n"), ["RegExp(a);"]);
  assert.deepEqual(found('y = RegExp("a+b");\n'), ['RegExp("a+b");']);
  assert.deepEqual(found("a.match(b);\n"), ["match(b);"]);
  assert.deepEqual(found('a.search(\n"b");\n'), ["search("]);
  assert.deepEqual(found("a.matchAll(/b/g).match().replace(/c/, d).split(/e/)"), [
    "/b/g",
    "/c/",
    "/e/",
  ]);
  assert.deepEqual(found("v.EMAIL_REGEX.test(a);\n"), ["EMAIL_REGEX.test(a);"]);
});

/** What takes long, and the like that does not. */
const judged: ReadonlyArray<readonly [slow: string, quick: string, flags?: string]> = [
  ["a+b", "^a+b"],
  ["\\s+$", "\\s+"],
  ["^\\s*a", "^[ \\t]*a", "m"],
  ["^(?:a+)+$", "^(?:a+b)+$"],
  ["^(?:a*)*$", "^(?:a*)$"],
  ["^(?:a|a)*b", "^(?:a|b)*c"],
  ["^\\d+\\.?\\d*$", "^\\d+(?:\\.\\d*)?$"],
  ["\\d(?:\\d*b)?", "\\d(?:\\d*)", "g"],
  ["^(?:a?){30}a{30}$", "^(?:a?){2}a{2}$"],
  ["^(?:[^x]*,)*$", "^(?:[^,]*,)*$"],
  ['"(?:\\\\.|[^"])*"', '^"(?:\\\\.|[^"\\\\])*"'],
  ["\\[[^\\]]*\\]", "\\[[^[\\]]*\\]", "g"],
  ["^a.*b.*c$", "^a[^b]*b[^c]*c$"],
  ["^A+a+$", "^A+b+$", "i"],
  ["^\\p{L}+[a-z]+$", "^\\p{L}+[0-9]+$", "u"],
];
for (const [slow, quick, flags = ""] of judged) {
  test(`/${slow}/${flags} takes long, /${quick}/${flags} does not`, () => {
    assert.notEqual(slowness(slow, flags), undefined);
    assert.equal(slowness(quick, flags), undefined);
  });
}

test("what cannot be judged counts as slow", () => {
  for (const source of ["(a)\\1", "(?=a*b)c", "(?<n>a)\\k<n>", "^(?:a"]) {
    assert.match(slowness(source, "") ?? "", /^it cannot be judged/);
  }
});
