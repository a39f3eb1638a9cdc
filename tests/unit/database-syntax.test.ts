/** How queries and scripts are read in each of the syntaxes: what is a parameter, and what is not. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Syntax } from "../../src/connectors/database/driver.ts";
import { parseQuery, transactionControl } from "../../src/connectors/database/sql/mod.ts";
import { isOurs } from "../support/shares.ts";

const parametersOf = (syntax: Syntax, text: string) => parseQuery(text, syntax).parameters;

function refuses(syntax: Syntax, text: string, message: RegExp): void {
  assert.throws(
    () => parseQuery(text, syntax),
    (error) => error instanceof SyntaxError && message.test(error.message),
    `${syntax}: ${text}`,
  );
}

test("PostgreSQL: casts, slices and named arguments have no parameter", () => {
  const cases: readonly (readonly [string, readonly string[]])[] = [
    ["SELECT :a::int, x::text[]", ["a"]],
    ["SELECT '{1,2}'::int[], a::b", []],
    ["SELECT a[1:n], a[:n], a[ : n], a[m:], a[:], b.c[i:j]", []],
    ["SELECT a[1 : :n], a[:lo : :hi]", ["n", "hi"]],
    ["SELECT a[(:lo):(:hi)], a[f(:i)]", ["lo", "hi", "i"]],
    ["SELECT ARRAY[:a, :b], array[[:c], [:d]], ARRAY[:a][:n]", ["a", "b", "c", "d", "a"]],
    ['SELECT (f(x))[:n], "q"[:n], x[1][:n], :a[:n]', ["a"]],
    ["SELECT ARRAY[x[:n], :a]", ["a"]],
    ["SELECT make_interval(days := :d, hours := 1)", ["d"]],
  ];
  for (const [text, expected] of cases) assert.deepEqual(parametersOf("postgres", text), expected);
});

test("PostgreSQL: the operators of jsonb stay as they are", () => {
  const text = "SELECT * FROM t WHERE a ? 'k' AND a ?| ARRAY[:k] AND a ?& :l AND a @> :m " +
    "AND a <@ b AND a @@ '$.x' AND a @? '$' AND a #>> :p = '1' AND a #- b AND a -> :q";
  const { pieces, parameters } = parseQuery(text, "postgres");
  assert.deepEqual(parameters, ["k", "l", "m", "p", "q"]);
  assert.equal(pieces.join("|"), text.replaceAll(/:[a-z]/g, "|"));
});

test("PostgreSQL: strings, names and comments hold no parameters", () => {
  const cases: readonly (readonly [string, readonly string[]])[] = [
    [`SELECT ':a''', ":b""c", 'a\\', :d`, ["d"]],
    ["SELECT E'a\\':b', e'\\\\', :c", ["c"]],
    ["SELECT E'a' -- x\n 'b\\':c', :d", ["d"]],
    ["SELECT U&'\\0061 :a', u&\":b\", B'01:c', x'1F:d', n':e', :f", ["f"]],
    ["SELECT $$ :a ' $$, $body$ $$ :b $bod$ $body$, $é1$ :c $é1$, :d", ["d"]],
    ["SELECT a$b, a$1$, :c, $$x$$", ["c"]],
    ["SELECT /* :a /* :b */ :c */ :d -- :e\r, :f", ["d", "f"]],
    ["SELECT name'x', type 'a', note, :a", ["a"]],
    ["SELECT `, :a, `", ["a"]],
  ];
  for (const [text, expected] of cases) {
    assert.deepEqual(parametersOf("postgres", text), expected, text);
  }
});

test("PostgreSQL: what is left open, and other parameters, are refused", () => {
  refuses("postgres", "SELECT $1", /the parameter "\$1"/);
  refuses("postgres", "SELECT x$1, $12", /the parameter "\$12"/);
  refuses("postgres", "SELECT $name", /the parameter "\$name"/);
  refuses("postgres", "SELECT 'a", /leaves a ' open/);
  refuses("postgres", "SELECT E'a\\'", /leaves a E' open/);
  refuses("postgres", "SELECT $x$ $y$", /leaves a \$x\$ open/);
  refuses("postgres", "SELECT 1 /* /* */", /leaves a \/\* open/);
  refuses("postgres", "SELECT 'a\\'; DELETE FROM t", /more than one statement/);
  // A carriage return ends the comment.
  refuses("postgres", "-- x\rCOMMIT", /must not COMMIT/);
});

test("MySQL: strings, names, variables and comments hold no parameters", () => {
  const cases: readonly (readonly [string, readonly string[]])[] = [
    [`SELECT 'a\\':b', "c\\":d", 'it''s :e', "f"":g", :h`, ["h"]],
    ["SELECT `:a``:b`, `c\\`, :d", ["d"]],
    ["SELECT 1 # :a '\n, :b -- :c '\n, :d", ["b", "d"]],
    ["SELECT 1--:a, 2-- :b", ["a"]],
    ["SELECT @a, @a.b$c, @'d :e', @`f :g`, @@session.x, @h := :i", ["i"]],
    ["SELECT /*+ MAX_EXECUTION_TIME(:a) */ /* :b /* */ :c", ["c"]],
    ["SELECT /*!50001 SQL_NO_CACHE */ /*M!100100 1 + */ :a", ["a"]],
    ["SELECT _utf8':a', N':b', x'1F', b'01', :c", ["c"]],
    ["SELECT 1e5, 0x1F, 2a, $b, :c", ["c"]],
    ["SELECT a->'$.b', a->>'$.c' FROM t WHERE d = :e", ["e"]],
  ];
  for (const [text, expected] of cases) {
    assert.deepEqual(parametersOf("mysql", text), expected, text);
  }
});

test("MySQL: what is left open, and other parameters, are refused", () => {
  refuses("mysql", "SELECT ?", /the parameter "\?"/);
  refuses("mysql", "SELECT 'a\\'", /leaves a ' open/);
  refuses("mysql", "SELECT `a", /leaves a ` open/);
  refuses("mysql", "SELECT /* a", /leaves a \/\* open/);
  refuses("mysql", "SELECT 1 /*! , :a */", /":a" in a comment that not all servers run/);
  refuses("mysql", "SELECT 1 /*!; DROP TABLE t */", /more than one statement/);
  refuses("mysql", "/*!40000 COMMIT */", /must not COMMIT/);
  refuses("mysql", "DELIMITER //", /must not use DELIMITER/);
  assert.deepEqual(parametersOf("postgres", "SELECT delimiter, :a"), ["a"]);
});

test("a query that only reads is told apart from one that writes", () => {
  const cases: readonly (readonly [Syntax, string, reads: boolean])[] = [
    ["postgres", "TABLE t", true],
    ["postgres", "SHOW work_mem", true],
    ["postgres", "(SELECT 1) UNION (SELECT 2)", true],
    ["postgres", "WITH a AS (SELECT 1) SELECT * FROM a", true],
    ["postgres", "EXPLAIN (VERBOSE) SELECT 1", true],
    ["postgres", "SELECT substring(a FROM 1 FOR 2), t.into, 'INTO' FROM t", true],
    ["postgres", "EXPLAIN ANALYZE DELETE FROM t", false],
    ["postgres", "EXPLAIN (COSTS, ANALYZE) SELECT 1", false],
    ["postgres", "SELECT a INTO b FROM c", false],
    ["postgres", "SELECT 1 FROM t FOR UPDATE", false],
    ["postgres", "SELECT 1 FROM t FOR NO KEY UPDATE", false],
    ["postgres", "SELECT 1 FROM t FOR KEY SHARE", false],
    ["postgres", "WITH a AS (INSERT INTO t VALUES (1) RETURNING *) SELECT * FROM a", false],
    [
      "postgres",
      "WITH a AS (SELECT 1) MERGE INTO t USING a ON true WHEN MATCHED THEN DELETE",
      false,
    ],
    ["postgres", "CALL p()", false],
    ["mysql", "SHOW TABLES", true],
    ["mysql", "DESCRIBE t", true],
    ["mysql", "SELECT insert('a', 1, 1, 'b'), replace(a, 'x', 'y') FROM t", true],
    ["mysql", "WITH a AS (SELECT 1) SELECT * FROM a", true],
    ["mysql", "WITH a AS (SELECT 1) DELETE FROM t", false],
    ["mysql", "SELECT 1 INTO @a", false],
    ["mysql", "SELECT * FROM t LOCK IN SHARE MODE", false],
    ["mysql", "SELECT * FROM t FOR SHARE", false],
    ["mysql", "EXPLAIN ANALYZE SELECT 1", false],
    ["mysql", "ANALYZE TABLE t", false],
    ["mysql", "DO sleep(1)", false],
    ["sqlite", "EXPLAIN ANALYZE t", true],
  ];
  for (const [syntax, text, reads] of cases) {
    assert.equal(parseQuery(text, syntax).reads, reads, `${syntax}: ${text}`);
  }
});

test("a query that cannot return rows is told apart from one that may", () => {
  const cases: readonly (readonly [Syntax, string, rows: boolean])[] = [
    ["postgres", "CALL p()", true],
    ["postgres", "FETCH NEXT FROM c", true],
    ["postgres", "EXPLAIN ANALYZE DELETE FROM t", true],
    ["postgres", "SELECT 1 FOR UPDATE", true],
    ["postgres", "INSERT INTO t SELECT * FROM u RETURNING *", true],
    ["postgres", "WITH a AS (INSERT INTO t VALUES (1) RETURNING *) SELECT * FROM a", true],
    ["postgres", "SELECT 1 INTO a", false],
    ["postgres", "DO $$ RETURNING $$", false],
    ["postgres", "INSERT INTO t SELECT u.returning FROM u", false],
    ["mysql", "CALL p()", true],
    ["mysql", "DESC t", true],
    ["mysql", "CHECK TABLE t", true],
    ["mysql", "DELETE FROM t RETURNING a", true],
    ["mysql", "SELECT 1 INTO @a", false],
  ];
  for (const [syntax, text, rows] of cases) {
    assert.equal(parseQuery(text, syntax).returnsRows, rows, `${syntax}: ${text}`);
  }
});

/** What controls transactions, with the words that the error names. */
const CONTROL: Readonly<Record<Syntax, readonly (readonly [text: string, words: string])[]>> = {
  sqlite: [["begin immediate", "BEGIN"], ["END", "END"]],
  postgres: [
    ["START TRANSACTION READ ONLY", "START TRANSACTION"],
    ["ABORT", "ABORT"],
    ["COMMIT PREPARED 'a'", "COMMIT"],
    ["PREPARE TRANSACTION 'a'", "PREPARE TRANSACTION"],
    ["set /* x */ transaction isolation level serializable", "SET TRANSACTION"],
    ["SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY", "SET SESSION CHARACTERISTICS"],
    ["END", "END"],
  ],
  mysql: [
    ["START TRANSACTION", "START TRANSACTION"],
    ["SET TRANSACTION READ ONLY", "SET TRANSACTION"],
    ["SET SESSION TRANSACTION READ ONLY", "SET SESSION TRANSACTION"],
    ["SET autocommit = 0", "SET AUTOCOMMIT"],
    ["SET @a = 1, @@session.autocommit = 0", "SET AUTOCOMMIT"],
    ["SET SESSION autocommit = 0", "SET AUTOCOMMIT"],
    ["lock tables t WRITE", "LOCK TABLES"],
    ["UNLOCK TABLES", "UNLOCK TABLES"],
    ["XA START 'a'", "XA"],
    ["RELEASE SAVEPOINT a", "RELEASE"],
  ],
};

/** What looks like control and is none. */
const NO_CONTROL: Readonly<Record<Syntax, readonly string[]>> = {
  sqlite: ["PRAGMA user_version = 1"],
  postgres: [
    "SET CONSTRAINTS ALL DEFERRED",
    "LOCK TABLE t",
    "DO $$ BEGIN COMMIT; END $$",
  ],
  mysql: [
    "SET STATEMENT max_statement_time = 1 FOR SELECT 1",
    "EXECUTE IMMEDIATE 'SELECT 1'",
    "START REPLICA",
    "SELECT (SELECT autocommit FROM t)",
  ],
};

/** What changes the connection for whoever comes next, with the words that the error names. */
const SESSION: Readonly<Record<Syntax, readonly (readonly [text: string, words: string])[]>> = {
  sqlite: [],
  postgres: [
    ["SET work_mem = '1MB'", "SET"],
    ["set/**/session role x", "SET"],
    ["SET LOCAL synchronous_commit = off", "SET"],
    ["RESET ALL", "RESET"],
    ["DISCARD ALL", "DISCARD"],
    ["LISTEN a", "LISTEN"],
    ["UNLISTEN *", "UNLISTEN"],
    ["PREPARE a AS SELECT 1", "PREPARE"],
    ["EXECUTE a", "EXECUTE"],
    ["DEALLOCATE ALL", "DEALLOCATE"],
    ["DECLARE c CURSOR WITH HOLD FOR SELECT 1", "DECLARE"],
  ],
  mysql: [
    ["SET SESSION sql_mode = ''", "SET"],
    ["SET @@sql_mode = ''", "SET"],
    ["SET @a = 1", "SET"],
    ["SET @autocommit = 1", "SET"],
    ["SET NAMES latin1", "SET"],
    ["/*!50001 SET */ sql_mode = ''", "SET"],
    ["use other", "USE"],
    ["PREPARE a FROM 'SELECT 1'", "PREPARE"],
    ["EXECUTE a", "EXECUTE"],
    ["DEALLOCATE PREPARE a", "DEALLOCATE"],
    ["DROP PREPARE a", "DROP PREPARE"],
  ],
};

test("what stays on a connection is refused in a query, and is no matter of scripts", () => {
  for (const syntax of ["sqlite", "postgres", "mysql"] as const) {
    for (const [text, words] of SESSION[syntax]) {
      const message = new RegExp(`^must not ${words}: the connections are shared by all flows`);
      refuses(syntax, text, message);
      assert.equal(transactionControl(`${text};`, syntax), undefined, text);
    }
  }
  refuses(
    "postgres",
    "SET a.b = 1",
    /; ALTER ROLE … SET changes a setting for all, SELECT set_config/,
  );
  refuses("mysql", "SET sql_mode = ''", /; the server's configuration changes a setting for all$/);
  refuses("mysql", "USE other", /; database\.table names a table of another database$/);
  parseQuery("UPDATE t SET a = 1", "mysql");
  parseQuery("SELECT set_config('a.b', :value, true)", "postgres");
});

for (const syntax of ["sqlite", "postgres", "mysql"] as const) {
  test(`${syntax}: what controls a transaction is refused in a query and found in a script`, () => {
    for (const [text, words] of CONTROL[syntax]) {
      refuses(syntax, text, new RegExp(`^must not ${words}: each write is a transaction$`));
      assert.equal(transactionControl(`SELECT 1; ${text}; SELECT 2`, syntax), words, text);
      assert.equal(transactionControl(text, syntax), words, text);
    }
    for (const text of NO_CONTROL[syntax]) {
      parseQuery(text, syntax);
      assert.equal(transactionControl(`${text};`, syntax), undefined, text);
    }
  });
}

test("what is in the programs of a script is not run by it", () => {
  const scripts: readonly (readonly [Syntax, string])[] = [
    [
      "postgres",
      `CREATE FUNCTION f() RETURNS int LANGUAGE sql BEGIN ATOMIC
        SELECT CASE WHEN true THEN 1 END; SELECT 2; END`,
    ],
    ["postgres", "CREATE PROCEDURE p() LANGUAGE plpgsql AS $$ BEGIN COMMIT; END $$"],
    [
      "mysql",
      `CREATE DEFINER = 'a'@'b' PROCEDURE p(IN a INT)
      outer_block: BEGIN
        DECLARE CONTINUE HANDLER FOR NOT FOUND BEGIN END;
        IF a = 1 THEN START TRANSACTION; COMMIT; ELSE BEGIN ROLLBACK; END; END IF;
        CASE a WHEN 1 THEN COMMIT; ELSE COMMIT; END CASE;
        SET a = CASE WHEN a THEN 1 ELSE 2 END;
        WHILE a DO COMMIT; END WHILE;
        inner_block:BEGIN COMMIT; END inner_block;
        COMMIT;
      END`,
    ],
    ["mysql", "CREATE TRIGGER t BEFORE INSERT ON u FOR EACH ROW SET NEW.a = 1"],
    ["mysql", "CREATE EVENT e ON SCHEDULE EVERY 1 DAY DO BEGIN COMMIT; END"],
    ["sqlite", "CREATE TRIGGER t AFTER INSERT ON u BEGIN SELECT CASE WHEN 1 THEN 2 END; END"],
    ["sqlite", "CREATE TABLE t (trigger, begin)"],
  ];
  for (const [syntax, script] of scripts) {
    const after = `${script}; CREATE TABLE a (b int); `;
    assert.equal(transactionControl(after, syntax), undefined, script);
    assert.equal(transactionControl(`${after} COMMIT`, syntax), "COMMIT", script);
  }
  assert.equal(transactionControl("CREATE TABLE a (b int);\ndelimiter //", "mysql"), "DELIMITER");
});

/** Pieces of SQL by the number of parameters in them; `:p` is one. */
const PIECES: Readonly<Record<Syntax, readonly string[]>> = {
  sqlite: [
    ":p",
    "':p'",
    '":p"',
    "`:p`",
    "[:p]",
    "a::p",
    "--:p\n",
    "/*:p*/",
    "x",
    "(",
    ")",
    "''",
    "||",
  ],
  postgres: [
    ":p",
    ":p::int",
    "a::p",
    "':p\\'",
    "E':p\\' :p'",
    "'it''s :p'",
    '":p"',
    "U&':p'",
    "$$:p$$",
    "$t$ :p $$ $t$",
    "--:p\n",
    "/*:p /* :p */ :p*/",
    "a[:p]",
    "a[1:p]",
    "ARRAY[:p]",
    "a[(:p)]",
    "?",
    "?|",
    "@>",
    "#>>",
    "a := 1",
    "a$b",
    "(",
    ")",
  ],
  mysql: [
    ":p",
    "':p\\' :p'",
    '":p\\" :p"',
    "'it''s :p'",
    "`:p\\`",
    "#:p\n",
    "-- :p\n",
    "--:p",
    "/*:p*/",
    "/*!50000 a */",
    "@a",
    "@`:p`",
    "@@a.b",
    "@a := 1",
    "a->'$.p'",
    "1e5",
    "(",
    ")",
  ],
};

/** The pieces of which each has one parameter; the others have none. */
const WITH_PARAMETER = new Set([":p", ":p::int", "ARRAY[:p]", "a[(:p)]", "--:p"]);

/** In SQLite that is a comment. */
const hasParameter = (syntax: Syntax, piece: string) =>
  WITH_PARAMETER.has(piece) && (piece !== "--:p" || syntax === "mysql");

/** Numbers from 0 to 1 that are the same in each run. */
function* numbers(seed: number): Generator<number, never> {
  for (let state = seed;;) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    yield state / 2 ** 32;
  }
}

for (const syntax of ["sqlite", "postgres", "mysql"] as const) {
  test(`${syntax}: what stands beside a piece does not change how it is read`, () => {
    const random = numbers(syntax.length);
    const next = () => random.next().value;
    for (let round = 0; round < 2_000; round++) {
      const pieces = Array.from(
        { length: 1 + Math.floor(next() * 8) },
        () => PIECES[syntax][Math.floor(next() * PIECES[syntax].length)],
      );
      const text = `SELECT ${pieces.join(" ")}`;
      const query = parseQuery(text, syntax);
      const expected = pieces.filter((piece) => hasParameter(syntax, piece)).length;
      assert.equal(query.parameters.length, expected, text);
      // The text is kept, whatever is in it.
      assert.equal(query.pieces.join(":p"), text);
      assert.equal(query.reads, true);
      assert.equal(transactionControl(`${text}; COMMIT`, syntax), "COMMIT", text);
    }
  });

  test(`${syntax}: long nonsense takes time that grows with its length alone`, () => {
    const hostile = [
      ...PIECES[syntax],
      "'",
      '"',
      "`",
      "[",
      "]",
      "/*",
      "*/",
      "/*!",
      "--",
      ":",
      "$",
      "$a$",
      "$a",
      "E'",
      "E'a'\n",
      "@",
      "@.",
      ";",
      "BEGIN ",
      "END ",
      "CREATE TRIGGER a BEGIN ",
      "\u{1F600}",
      ":\u{1F600}",
      "\\",
    ];
    for (const piece of hostile.filter((_, index) => isOurs(index))) {
      const time = (length: number) => {
        const text = `SELECT ${piece.repeat(Math.ceil(length / piece.length))}`;
        const began = performance.now();
        try {
          parseQuery(text, syntax);
        } catch (error) {
          assert.ok(error instanceof SyntaxError, String(error));
        }
        transactionControl(text, syntax);
        return performance.now() - began;
      };
      // It takes milliseconds, and minutes where each character looks at all others.
      assert.ok(time(200_000) < 2_000, piece);
    }
  });
}
