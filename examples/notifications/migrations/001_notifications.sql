-- Every notification, in the order in which they came.
CREATE TABLE notifications (
  position   INTEGER PRIMARY KEY,
  id         TEXT NOT NULL UNIQUE,
  topic      TEXT NOT NULL,
  level      TEXT NOT NULL,
  title      TEXT NOT NULL,
  text       TEXT NOT NULL,
  created_at TEXT NOT NULL
);

CREATE INDEX notifications_by_topic ON notifications (topic, position);
