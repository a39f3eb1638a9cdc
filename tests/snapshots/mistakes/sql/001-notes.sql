CREATE TABLE notes (
  id     INTEGER PRIMARY KEY,
  author TEXT NOT NULL,
  text   TEXT,
  stars  INTEGER,
  photo  BLOB
) STRICT;
