-- A client chooses the id of its message, so that it can send it again, and it is stored once. Others,
-- such as psql, need neither an id nor a time.
CREATE TABLE messages (
  id         text PRIMARY KEY DEFAULT (gen_random_uuid()) CHECK (length(id) BETWEEN 1 AND 64),
  room       text NOT NULL DEFAULT 'lobby',
  author     text NOT NULL,
  text       text NOT NULL CHECK (length(text) BETWEEN 1 AND 2000),
  created_at timestamptz NOT NULL DEFAULT (now())
);

CREATE INDEX messages_by_room ON messages (room, created_at, id);
