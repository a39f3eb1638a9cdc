/** The types of a database: built-in ones, and those that it has of its own. */
import type { Client } from "pg";
import { arrayOf } from "./arrays.ts";
import { type Codec, codecs, plain } from "./codecs.ts";

/** Name, OID and OID of the array of the built-in types that are common; others are asked for. */
const BUILT_IN: readonly (readonly [name: string, oid: number, array: number])[] = [
  ["bool", 16, 1000],
  ["bytea", 17, 1001],
  ["char", 18, 1002],
  ["name", 19, 1003],
  ["int8", 20, 1016],
  ["int2", 21, 1005],
  ["int4", 23, 1007],
  // They are arrays for the catalog, but not in their text.
  ["int2vector", 22, 1006],
  ["oidvector", 30, 1013],
  ["text", 25, 1009],
  ["oid", 26, 1028],
  ["json", 114, 199],
  ["xml", 142, 143],
  ["point", 600, 1017],
  ["cidr", 650, 651],
  ["float4", 700, 1021],
  ["float8", 701, 1022],
  ["macaddr", 829, 1040],
  ["inet", 869, 1041],
  ["bpchar", 1042, 1014],
  ["varchar", 1043, 1015],
  ["date", 1082, 1182],
  ["time", 1083, 1183],
  ["timestamp", 1114, 1115],
  ["timestamptz", 1184, 1185],
  ["interval", 1186, 1187],
  ["timetz", 1266, 1270],
  ["numeric", 1700, 1231],
  ["uuid", 2950, 2951],
  ["jsonb", 3802, 3807],
];

/** Answers with each type that is asked for, what it is made of, and so on. */
const LEARN = (oids: readonly number[]) => `
  WITH RECURSIVE wanted AS (
    SELECT oid, typname, typtype, typlen, typcategory, typelem, typbasetype, typdelim
    FROM pg_catalog.pg_type WHERE oid IN (${oids.map(Number).join(", ")})
    UNION
    SELECT t.oid, t.typname, t.typtype, t.typlen, t.typcategory, t.typelem, t.typbasetype, t.typdelim
    FROM pg_catalog.pg_type t JOIN wanted w ON t.oid IN (w.typelem, w.typbasetype)
  )
  SELECT oid::int8, typname, typdelim, typbasetype::int8 AS base,
    CASE WHEN typcategory = 'A' AND typlen = -1 THEN typelem::int8 ELSE 0 END AS element
  FROM wanted`;

/** What the server says of a type: all of it as text. */
interface Described {
  readonly oid: string;
  readonly typname: string;
  readonly typdelim: string;
  /** The type that a domain is made of; 0 for others. */
  readonly base: string;
  /** The type of an array's elements; 0 for others. */
  readonly element: string;
}

/** Knows how values of each type are written and read. One for a database, for all connections. */
export class TypeCatalog {
  readonly #codecs = new Map<number, Codec>();

  /** Knows the common built-in types. */
  constructor() {
    for (const [name, oid, array] of BUILT_IN) {
      const codec = codecs[name] ?? plain;
      this.#codecs.set(oid, codec);
      this.#codecs.set(array, arrayOf(codec));
    }
  }

  /** How a type's values are written and read; as text where it does not know the type. */
  codec(oid: number): Codec {
    return this.#codecs.get(oid) ?? plain;
  }

  /** What JSON has for a value that the server sent as text. */
  decode(oid: number, text: string): unknown {
    const { decode } = this.codec(oid);
    return decode === undefined ? text : decode(text);
  }

  /** Those of the types that it does not know. */
  missing(oids: readonly number[]): readonly number[] {
    return oids.filter((oid) => !this.#codecs.has(oid));
  }

  /**
   * Asks the server for types. Those that are gone count as text.
   *
   * @throws {Error} The server does not answer.
   */
  async learn(client: Client, oids: readonly number[]): Promise<void> {
    const { rows } = await client.query<Described>({
      text: LEARN(oids),
      types: { getTypeParser: () => (value: string) => value },
    });
    this.add(rows);
    for (const oid of oids) if (!this.#codecs.has(oid)) this.#codecs.set(oid, plain);
  }

  /** Adds types with all that they are made of. */
  add(types: readonly Described[]): void {
    const waiting = new Map(types.map((type) => [Number(type.oid), type]));
    const find = (oid: number): Codec => {
      const known = this.#codecs.get(oid);
      const type = waiting.get(oid);
      if (known !== undefined || type === undefined) return known ?? plain;
      const codec = type.base !== "0"
        ? find(Number(type.base))
        : type.element !== "0"
        ? arrayOf(find(Number(type.element)))
        : { ...plain, delimiter: type.typdelim };
      this.#codecs.set(oid, codec);
      return codec;
    };
    for (const oid of waiting.keys()) find(oid);
  }
}
