-- Events that were given up, each with its reason.
CREATE TABLE dead_letters (
  id      TEXT PRIMARY KEY NOT NULL,
  type    TEXT NOT NULL,
  event   TEXT NOT NULL,
  reason  TEXT NOT NULL,
  died_at TEXT NOT NULL
);
