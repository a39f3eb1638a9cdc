CREATE TABLE tickets (
  id         INTEGER PRIMARY KEY AUTOINCREMENT,
  subject    TEXT NOT NULL,
  priority   TEXT NOT NULL CHECK (priority IN ('low', 'normal', 'high')),
  state      TEXT NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'closed')),
  creator    TEXT NOT NULL,
  created_at TEXT NOT NULL
);

CREATE TABLE members (
  ticket INTEGER NOT NULL REFERENCES tickets (id),
  user   TEXT NOT NULL,
  PRIMARY KEY (ticket, user)
);

CREATE TABLE messages (
  id         INTEGER PRIMARY KEY AUTOINCREMENT,
  ticket     INTEGER NOT NULL REFERENCES tickets (id),
  author     TEXT NOT NULL,
  text       TEXT NOT NULL,
  created_at TEXT NOT NULL
);

CREATE INDEX messages_by_ticket ON messages (ticket, id);

CREATE TABLE audit (
  id          INTEGER PRIMARY KEY AUTOINCREMENT,
  ticket      INTEGER NOT NULL REFERENCES tickets (id),
  action      TEXT NOT NULL,
  user        TEXT NOT NULL,
  remote_addr TEXT NOT NULL,
  created_at  TEXT NOT NULL
);
