-- The newest state of every order.
CREATE TABLE orders (
  id         TEXT PRIMARY KEY NOT NULL CHECK (length(id) BETWEEN 1 AND 64),
  status     TEXT NOT NULL CHECK (length(status) BETWEEN 1 AND 64),
  updated_at TEXT NOT NULL
);
