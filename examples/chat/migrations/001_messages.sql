-- What was said, in the order in which it was said. A client chooses the id of its message, so that
-- it can send a message again whose ack got lost and nothing is stored twice.
CREATE TABLE messages (
  position   INTEGER PRIMARY KEY,
  id         TEXT NOT NULL UNIQUE CHECK (length(id) BETWEEN 1 AND 64),
  room       TEXT NOT NULL,
  author     TEXT NOT NULL,
  text       TEXT NOT NULL CHECK (length(text) BETWEEN 1 AND 2000),
  created_at TEXT NOT NULL
);

CREATE INDEX messages_by_room ON messages (room, position);
