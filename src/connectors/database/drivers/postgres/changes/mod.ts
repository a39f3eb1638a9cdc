/** Changes of PostgreSQL: logical replication, and NOTIFY. */
import type {
  ChangeFeed,
  ChangeFeedContext,
  NotificationFeed,
  NotificationFeedContext,
} from "../../../changes/feed.ts";
import { PostgresChangeFeed } from "./feed.ts";
import { PostgresNotificationFeed } from "./listener.ts";

/** Makes a feed, which touches nothing yet. */
export function createChangeFeed(context: ChangeFeedContext): ChangeFeed {
  return new PostgresChangeFeed(context);
}

/** Makes a feed, which touches nothing yet. */
export function createNotificationFeed(context: NotificationFeedContext): NotificationFeed {
  return new PostgresNotificationFeed(context);
}
