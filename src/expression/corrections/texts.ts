/** Texts that have lost their quotes, or have one too many. */

/** Whether a text looks like words for people and not like an expression. */
export function isProse(text: string): boolean {
  return /^[\p{L}\p{N}\p{Extended_Pictographic}_ ,.!?:;…&@#%/+*-]+$/u.test(text) &&
    /\p{L}/u.test(text) && !/[A-Za-z_]\.[A-Za-z_]|^\w+\.$| [+*/%&-] /.test(text);
}

/** The text with a backslash in front of each quote that is a part of a word, as in `it's`. */
export function escaped(text: string): string {
  return text.replace(/(?<=\p{L})'(?=\p{L})/gu, "\\'");
}
