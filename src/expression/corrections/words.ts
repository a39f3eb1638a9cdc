/** Words and signs of other languages, and what expressions have for them. */

/** What is written instead, and the reason in a few words. */
export interface Replacement {
  /** The text that replaces it. */
  readonly text: string;
  /** The reason, for a hint. */
  readonly reason: string;
}

const AND = { text: "&&", reason: "and is written &&" };
const OR = { text: "||", reason: "or is written ||" };
const EQUAL = { text: "==", reason: "values are compared with ==" };
const UNEQUAL = { text: "!=", reason: "values are compared with !=" };
const NULL = { text: "null", reason: "a missing value is null" };

function literal(text: string): Replacement {
  return { text, reason: `${text} is written in small letters` };
}

/** Signs by how they are written. */
export const SIGNS: ReadonlyMap<string, Replacement> = new Map([
  ["===", EQUAL],
  ["=", EQUAL],
  ["!==", UNEQUAL],
  ["<>", UNEQUAL],
  ["?.", { text: ".", reason: "a missing field reads as null, so a dot is enough" }],
  ["->", { text: ".", reason: "a dot selects a field" }],
  ["&", AND],
  ["|", OR],
  ["‘", { text: "'", reason: "quotes are straight" }],
  ["’", { text: "'", reason: "quotes are straight" }],
  ["“", { text: "'", reason: "quotes are straight" }],
  ["”", { text: "'", reason: "quotes are straight" }],
]);

/** Words that are no field and no function. */
export const WORDS: ReadonlyMap<string, Replacement> = new Map([
  ["and", AND],
  ["AND", AND],
  ["or", OR],
  ["OR", OR],
  ["IN", { text: "in", reason: "in is written in small letters" }],
  ["nil", NULL],
  ["None", NULL],
  ["NULL", NULL],
  ["Null", NULL],
  ["undefined", NULL],
  ["True", literal("true")],
  ["TRUE", literal("true")],
  ["False", literal("false")],
  ["FALSE", literal("false")],
]);

/** Words in front of a dot. */
export const ROOTS: ReadonlyMap<string, Replacement> = new Map([
  ...withAll("message msg event evt data body request req record value this self ctx", {
    text: "input",
    reason: "the event is called input",
  }),
  ...withAll("var vars local const", {
    text: "constants",
    reason: "constants are read as constants.NAME",
  }),
]);

/**
 * Names of functions by the words that other languages have for them, in small letters. Those that
 * take their arguments in another order, or mean something else by them, are left out.
 */
const NAMES: Readonly<Record<string, string>> = {
  "upper": "touppercase toupper to_upper upcase ucase uppercase strtoupper tolocaleuppercase",
  "lower": "tolowercase tolower to_lower downcase lcase lowercase strtolower tolocalelowercase",
  "trim": "trimspace strip btrim",
  "replace": "replaceall",
  "contains": "includes has_substring",
  "matches": "match test regex_match regexp_match regexmatch rlike",
  "startsWith": "starts_with hasprefix has_prefix begins_with",
  "endsWith": "ends_with hassuffix has_suffix",
  "substring": "slice",
  "size": "length strlen count char_length cardinality",
  "to_json": "stringify jsonencode json_encode tojson marshal dumps",
  "from_json": "jsondecode json_decode fromjson parse_json parsejson unmarshal loads",
  "base64_encode": "btoa base64encode b64encode",
  "base64_decode": "atob base64decode b64decode",
  "hash_sha256": "sha256 sha256sum",
  "int": "parseint to_int toint atoi intval integer",
  "double": "parsefloat number to_number tonumber float todouble floatval",
  "string": "tostring to_string str strval itoa",
  "bool": "boolean tobool to_bool parsebool",
  "coalesce": "ifnull isnull nvl firstnonnull",
  "now": "today sysdate current_timestamp getdate utcnow timestamp_now",
  "uuid": "uuidv4 uuid4 uuidgen newuuid new_uuid randomuuid generate_uuid gen_random_uuid guid",
  "random": "rand randfloat",
  "exists": "some any",
  "all": "every",
  "merge": "assign extend object_assign",
  "math.round": "round",
  "math.floor": "floor",
  "math.ceil": "ceil ceiling",
  "math.abs": "abs",
  "math.least": "min least",
  "math.greatest": "max greatest",
  "has": "isset defined",
};

/** The function for a word of another language; undefined if there is none. */
export function functionFor(word: string): string | undefined {
  return FUNCTIONS.get(word.toLowerCase());
}

const FUNCTIONS: ReadonlyMap<string, string> = new Map(
  Object.entries(NAMES).flatMap(([name, words]) => words.split(" ").map((word) => [word, name])),
);

/** The first parts of names such as `JSON.parse`, which expressions do not have. */
export const LIBRARIES: ReadonlySet<string> = new Set(
  ("JSON Math Date Object Array String Number fmt strings strconv time json console crypto " +
    "datetime math re base64").split(" "),
);

/** What has no counterpart, by a word of it, and what to do. */
export const ABSENT: ReadonlyMap<string, string> = new Map([
  ...withAll(
    "await fetch axios http require query SELECT",
    "an expression asks no other service: a step block does, and step.NAME is its result",
  ),
  ...withAll(
    "function func return let const lambda def new for while",
    "an expression is one value, without statements: list.map(x, …) goes through a list",
  ),
]);

/** The entries of a map in which each of the words has the same value. */
function withAll<T>(words: string, value: T): readonly (readonly [string, T])[] {
  return words.split(" ").map((word) => [word, value] as const);
}
