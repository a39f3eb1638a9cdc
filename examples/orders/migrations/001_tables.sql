CREATE TABLE orders (
  order_id   TEXT PRIMARY KEY,
  user_id    TEXT NOT NULL,
  status     TEXT NOT NULL,
  total      REAL NOT NULL,
  address    TEXT,
  updated_at TEXT NOT NULL
);
CREATE INDEX orders_of_user ON orders (user_id, updated_at);

CREATE TABLE lines (
  order_id TEXT NOT NULL REFERENCES orders (order_id),
  position INTEGER NOT NULL,
  sku      TEXT NOT NULL,
  count    INTEGER NOT NULL,
  price    REAL NOT NULL,
  PRIMARY KEY (order_id, position)
);

CREATE TABLE inbox (
  id         INTEGER PRIMARY KEY AUTOINCREMENT,
  event_id   TEXT NOT NULL UNIQUE,
  user_id    TEXT NOT NULL,
  order_id   TEXT NOT NULL,
  status     TEXT NOT NULL,
  total      REAL NOT NULL,
  line_count INTEGER NOT NULL,
  total_text TEXT NOT NULL
);
CREATE INDEX inbox_of_user ON inbox (user_id, id);

CREATE TABLE dead_letters (
  id          INTEGER PRIMARY KEY AUTOINCREMENT,
  routing_key TEXT NOT NULL,
  reason      TEXT NOT NULL,
  body        TEXT NOT NULL,
  died_at     TEXT NOT NULL
);
