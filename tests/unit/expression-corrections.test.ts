/** What an expression of another language becomes: the hint shows a text that can be compiled. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { ExpressionError } from "../../src/base/errors.ts";
import { correctionOf } from "../../src/expression/corrections/mod.ts";
import { Draft, piecesOf } from "../../src/expression/corrections/pieces.ts";
import { compileExpression } from "../../src/expression/mod.ts";
import { anyText } from "../support/text.ts";

const variables = ["input", "output", "client", "constants"];

/** The hint for a text; undefined where it can be compiled or has none. */
function hintFor(text: string): string | undefined {
  try {
    compileExpression(text, variables);
    return undefined;
  } catch (error) {
    if (error instanceof ExpressionError) return error.hint;
    throw error;
  }
}

/** What the hint says to write, without the quotes of the attribute. */
function correctedText(text: string): string | undefined {
  const [, written] = /; write ("(?:[^"\\]|\\.)*")$/.exec(hintFor(text) ?? "") ?? [];
  return written && JSON.parse(written).replaceAll("$${", "${");
}

const CORRECTED: ReadonlyArray<readonly [written: string, corrected: string]> = [
  // Signs and words.
  ["input.a === 1", "input.a == 1"],
  ["input.a !== 1", "input.a != 1"],
  ["input.a <> 1", "input.a != 1"],
  ["input.a = 'x = y'", "input.a == 'x = y'"],
  ["input.a AND input.b OR input.c", "input.a && input.b || input.c"],
  ["input.a & input.b", "input.a && input.b"],
  ["not input.a", "!input.a"],
  ["not (input.a or input.b)", "!(input.a || input.b)"],
  ["not input.a == 'b' and input.c", "!(input.a == 'b') && input.c"],
  ["[not input.a in ['x'], not (input.b) > 5]", "[!(input.a in ['x']), !((input.b) > 5)]"],
  ["not input.a is null", "!(input.a == null)"],
  ["input.a not in input.list", "!(input.a in input.list)"],
  ["input.a is not None", "input.a != null"],
  ["input.a is 'x'", "input.a == 'x'"],
  ["input.a == TRUE", "input.a == true"],
  ["input.a?.b?.c == 1", "input.a.b.c == 1"],
  ["input->a == nil", "input.a == null"],
  ["input.a == “x”", "input.a == 'x'"],
  ["input.user-name.last-part == 'x'", "input['user-name']['last-part'] == 'x'"],
  ["input['a']b", "input['a'].b"],
  ["{ a: input.b, 'c': 1 }", "{ 'a': input.b, 'c': 1 }"],
  ["$input.a", "input.a"],
  ["$.a.b", "input.a.b"],
  ["body.text + message.text", "input.text + input.text"],
  ["var.a", "constants.a"],
  ["now", "now()"],
  ["input.n++", "input.n + 1"],
  ["1 < input.n && < 5", "1 < input.n && 1 < 5"],
  // Phrases.
  ["input.a ?? 'x'", "default(input.a, 'x')"],
  ["trim(input.a)[0] ?? input.c ?? 1", "default(default(trim(input.a)[0], input.c), 1)"],
  ["typeof input.a == 'number'", "type(input.a) == double"],
  ["input.a in ('x', 'y')", "input.a in ['x', 'y']"],
  ["input.a like 'x%'", "input.a.startsWith('x')"],
  ["input.a LIKE '%x'", "input.a.endsWith('x')"],
  ["/^\\d+$/i.test(input.a)", "input.a.matches(r'^\\d+$')"],
  ["if (input.a) 'x' else 'y'", "(input.a) ? 'x' : 'y'"],
  ["'x' if input.a else 'y'", "input.a ? 'x' : 'y'"],
  ["input.list.filter((x) => x > 1)", "input.list.filter(x, x > 1)"],
  ["input.list.every(x => x > 1)", "input.list.all(x, x > 1)"],
  ["{...input, ...output, a: 1}", "merge(input, output, {'a': 1})"],
  ["`Hi ${input.a + 1}, it's ${input.b}`", "'Hi ' + (input.a + 1) + ', it\\'s ' + input.b"],
  ["Hi {{ input.a }}!", "'Hi ' + input.a + '!'"],
  ["'it's'", "'it\\'s'"],
  // Calls.
  ["JSON.parse(input.a)", "from_json(input.a)"],
  ["Math.max(input.a, 1)", "math.greatest(input.a, 1)"],
  ["strings.ToUpper(input.a)", "upper(input.a)"],
  ["input.a.trim().toLowerCase()", "input.a.trim().lower()"],
  ["input.a.concat('x', input.b)", "input.a + 'x' + input.b"],
  ["printf('%s', input.a)", "'%s'.format([input.a])"],
  ["crypto.randomUUID()", "uuid()"],
  ["time.Now()", "now()"],
  ["isset(input.a)", "has(input.a)"],
  ["process.env.MODE", "env('MODE')"],
  ["os.Getenv('MODE')", "env('MODE')"],
];

for (const [written, corrected] of CORRECTED) {
  test(`${written} is corrected`, () => {
    assert.equal(correctedText(written), corrected, `${hintFor(written)}`);
  });
}

test("what cannot be corrected has the way round, or the bracket that is open", () => {
  assert.match(hintFor("await fetch('x')") ?? "", /a step block does/);
  assert.match(hintFor("function (x) { return x }") ?? "", /one value, without statements/);
  assert.equal(hintFor("size(input.a[0]"), 'nothing closes "size("');
  assert.equal(hintFor("[1, 2"), 'nothing closes "["');
  assert.equal(
    hintFor("greeting"),
    `for the text, write "'greeting'"; for a field of the event, write "input.greeting"`,
  );
  assert.equal(
    hintFor("Hello, world!"),
    `a text needs single quotes, too; write "'Hello, world!'"`,
  );
});

test("names that all objects of JavaScript have are names as others", () => {
  assert.equal(hintFor("__proto__.x"), undefined);
  assert.match(hintFor("constructor") ?? "", /^for the text/);
  assert.equal(
    hintFor("toString(input.a)"),
    'toString() is called string(); write "string(input.a)"',
  );
});

test("what would mean something else is not proposed", () => {
  const others = ["input.a like 'a%b'", "input.a like 'a'", "substr(input.a, 2, 3)"];
  const calls = ["explode(',', input.a)", "ltrim(input.a)", "strftime(input.a, '%Y')"];
  const wider = ["input.a + input.b ?? 'c'", "input.a == null ?? false", "input.a like 'a_b%'"];
  for (const text of [...others, ...calls, ...wider]) {
    assert.equal(correctedText(text), undefined, text);
  }
});

test("a near name is the hint, unless the whole text is known", () => {
  assert.equal(hintFor("inptu.a"), 'did you mean "input"?');
  assert.equal(hintFor("inptu.a and input.b"), undefined);
  assert.equal(hintFor("tirm(input.a)"), 'did you mean "trim"?');
  assert.equal(hintFor("to_jsn(input.a)"), 'did you mean "to_json"?');
});

test("a long text and one of several lines are not corrected", () => {
  assert.equal(hintFor(`input.a === ${" ".repeat(200)}1`), undefined);
  assert.equal(hintFor("input.a ===\n1"), undefined);
});

test("the pieces of any text are the text, and no text makes a correction fail", () => {
  fc.assert(fc.property(anyText({ maxLength: 60 }), (text) => {
    assert.equal(piecesOf(text).map((piece) => piece.text).join(""), text);
    correctionOf(text, () => false, undefined);
  }));
  const words = ["not", "in", "is", "(", ")", "[", "]", "{", "}", "=>", "??", "a", ".", "'b'", ","];
  const more = ["if", "else", "then", "typeof", "like", "/", "...", "$", "-", "<", "&&", "`", "${"];
  const soup = fc.array(fc.constantFrom(...words, ...more, " ", "concat", "new", "Date", "++"));
  fc.assert(
    fc.property(soup, (parts) => {
      const text = parts.join("");
      const hint = hintFor(text);
      const [, written] = /; write ("(?:[^"\\]|\\.)*")$/.exec(hint ?? "") ?? [];
      // What it says to write can be compiled.
      if (written !== undefined) assert.equal(hintFor(JSON.parse(written)), undefined, text);
    }),
    { numRuns: 500 },
  );
});

test("brackets have partners, and operands two ends", () => {
  const call = "f(a[0], {'x': (b)}).c";
  const draft = new Draft(`${call} ?? -d.e[1] + 2`);
  const sign = new Draft(`${call} `).length;
  assert.deepEqual(draft.items(1), ["a[0]", "{'x': (b)}"]);
  assert.equal(draft.text(0, (draft.closing(1) ?? 0) + 1), "f(a[0], {'x': (b)})");
  assert.equal(draft.text(draft.operandBefore(sign), sign).trim(), call);
  assert.equal(draft.text(sign + 1, draft.operandAfter(sign)).trim(), "-d.e[1]");
  assert.equal(draft.operandBefore(0), undefined);
  assert.equal(draft.operandAfter(draft.length), undefined);
  assert.deepEqual(new Draft("(a[{").unclosed, [0, 2, 3]);
  assert.equal(new Draft("(a]").closing(0), undefined);
});
