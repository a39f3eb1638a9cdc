/** The subjects of a service's backplane. */
import { digest } from "../../../../../base/text.ts";

/** The longest tokens of topics and of services. The server reads at most 4096 bytes a line. */
const LONGEST = 1000;
const LONGEST_SERVICE = 200;

/** A text that makes no token, or a longer one, is named by its hash. No other token begins so. */
const HASHED = "#";

/** What is asked of JetStream about the stream of the keys. */
const QUESTIONS = ["INFO", "CREATE", "UPDATE", "MSG.GET", "MSG.DELETE"];

/** The names that a service has in NATS. */
export class BackplaneSubjects {
  /** A pattern of all of its subjects, for the permissions of a user. */
  readonly all: string;
  /** What an operator writes into the permissions of its user. */
  readonly grant: string;
  /** A pattern of its keys. */
  readonly keys: string;
  /** The stream that keeps the keys. */
  readonly stream: string;
  /** The questions about the stream that the keys ask. */
  readonly questions: readonly string[];
  readonly #prefix: string;

  constructor(service: string) {
    const token = tokenOf(service, LONGEST_SERVICE);
    this.#prefix = `weir.${token}`;
    this.all = `${this.#prefix}.>`;
    const own = `["${this.all}"]`;
    this.grant = `its user needs the permissions publish = ${own} and subscribe = ${own}`;
    this.keys = `${this.#prefix}.key.>`;
    // A name of a stream is one of a folder, too.
    this.stream = `weir_${token.replaceAll("/", "%2F")}`;
    this.questions = QUESTIONS.map((question) => `$JS.API.STREAM.${question}.${this.stream}`);
  }

  /** Where the messages of a topic go. */
  topic(topic: string): string {
    return `${this.#prefix}.topic.${tokenOf(topic, LONGEST)}`;
  }

  /** Where the values of a key go. */
  key(key: string): string {
    return `${this.#prefix}.key.${tokenOf(key, LONGEST)}`;
  }

  /** What one instance alone uses, to see whether it may. */
  trial(instance: string): string {
    return `${this.#prefix}.trial.${instance}`;
  }
}

/** One token for each text. A person can read a plain name in it. */
function tokenOf(text: string, longest: number): string {
  if (text === "") return HASHED;
  const token = encodeURIComponent(text.toWellFormed()).replaceAll("%3A", ":")
    .replaceAll("%2F", "/").replaceAll(".", "%2E").replaceAll("*", "%2A");
  return token.length <= longest ? token : HASHED + digest(text.toWellFormed());
}
