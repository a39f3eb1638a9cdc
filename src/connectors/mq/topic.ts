/** Routing keys and the patterns that they are matched with, the way RabbitMQ does it. */

/** How an exchange decides which queues get a message. */
export type ExchangeType = "direct" | "topic" | "fanout";

/** Decides whether a routing key fits. */
export type Matcher = (routingKey: string) => boolean;

/** AMQP carries a routing key behind one byte that gives its length. */
const LONGEST_KEY = 255;

/**
 * Compiles a pattern: words between dots, where `*` stands for exactly one word and `#` for any
 * number of them. Every other character stands for itself.
 */
export function compilePattern(pattern: string): Matcher {
  if (pattern === "#") return () => true;
  if (!hasWildcard(pattern)) return (routingKey) => routingKey === pattern;
  const words = wordsOf(pattern);
  return (routingKey) => fits(words, wordsOf(routingKey));
}

/** Whether `pattern` has a word that stands for others. */
export function hasWildcard(pattern: string): boolean {
  return wordsOf(pattern).some((word) => word === "*" || word === "#");
}

/** Whether a routing key or pattern has more bytes than the protocol can carry. */
export function isTooLong(routingKey: string): boolean {
  // No character takes more than three bytes for each of its UTF-16 units.
  if (routingKey.length * 3 <= LONGEST_KEY) return false;
  return new TextEncoder().encode(routingKey).length > LONGEST_KEY;
}

/**
 * The keys that a queue is bound with, so that an exchange of this type gives it what flows with
 * these `operations` want; undefined among them stands for every event.
 */
export function bindingKeys(
  type: ExchangeType,
  operations: readonly (string | undefined)[],
): readonly string[] {
  if (operations.length === 0) return [];
  if (type === "fanout") return [""];
  if (type === "direct") return unique(operations.filter((key) => key !== undefined));
  return unique(operations.map((key) => key ?? "#"));
}

function unique(keys: readonly string[]): readonly string[] {
  return [...new Set(keys)];
}

/** An empty key has no words at all, but `a.` has two of which one is empty. */
function wordsOf(key: string): readonly string[] {
  return key === "" ? [] : key.split(".");
}

/** Goes back to the newest `#` where a word does not fit, which is enough to find any fit. */
function fits(pattern: readonly string[], words: readonly string[]): boolean {
  let at = 0;
  let hash = -1;
  let resume = 0;
  for (let word = 0; word < words.length;) {
    if (pattern[at] === "#") {
      hash = at++;
      resume = word;
    } else if (at < pattern.length && (pattern[at] === "*" || pattern[at] === words[word])) {
      at++;
      word++;
    } else if (hash >= 0) {
      at = hash + 1;
      word = ++resume;
    } else {
      return false;
    }
  }
  while (pattern[at] === "#") at++;
  return at === pattern.length;
}
