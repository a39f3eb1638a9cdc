-- The newest state of every order.
CREATE TABLE orders (
  id         text PRIMARY KEY CHECK (length(id) BETWEEN 1 AND 64),
  status     text NOT NULL CHECK (length(status) BETWEEN 1 AND 64),
  updated_at timestamptz NOT NULL DEFAULT (now())
);
