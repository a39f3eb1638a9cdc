/** How the words of Mycel are written down. */

/** What Weir has in place of a word of Mycel. At least one of the two is there. */
export interface Word {
  /** What to write instead. */
  readonly write?: string;
  /** What is different, or what to use where Weir has no such thing. Code is in backticks. */
  readonly note?: string;
}

/**
 * The words of one place, as they are written there: `format` is an attribute, `cors {}` a block,
 * and `driver = "kafka"` a value. The text of a value may end in `…`, which is any other text.
 */
export type Words = Readonly<Record<string, Word>>;

/** The words by place: the types of the blocks around them, such as `flow, from`. */
export type Places = Readonly<Record<string, Words>>;

/** Gives several words one meaning. */
export function all(names: readonly string[], word: Word): Words {
  return Object.fromEntries(names.map((name) => [name, word]));
}
