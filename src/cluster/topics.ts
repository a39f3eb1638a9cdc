/** The topics of a backplane that a group uses. */

/** Every instance hears it. */
export const ALL = "all";

/** What only one instance hears. */
export function ownTopic(instance: string): string {
  return `i/${instance}`;
}

/** What the topics of a connector begin with. */
export function prefixOf(connector: string): string {
  return `m/${encodeURIComponent(connector)}/`;
}

/** The connector and its topic; undefined for a topic of the group itself. */
export function readTopic(topic: string): readonly [connector: string, topic: string] | undefined {
  const end = topic.startsWith("m/") ? topic.indexOf("/", 2) : -1;
  return end < 0 ? undefined : [topic.slice(2, end), topic.slice(end + 1)];
}
