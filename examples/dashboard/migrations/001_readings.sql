-- Every reading, in the order in which they came.
CREATE TABLE readings (
  position INTEGER PRIMARY KEY,
  id       TEXT NOT NULL UNIQUE,
  metric   TEXT NOT NULL,
  value    REAL NOT NULL,
  unit     TEXT NOT NULL,
  at       TEXT NOT NULL
);

CREATE INDEX readings_by_metric ON readings (metric, position);
CREATE INDEX readings_by_time ON readings (at);
