-- Every reading, in the order in which they came.
CREATE TABLE readings (
  position INTEGER PRIMARY KEY,
  id       TEXT NOT NULL UNIQUE,
  device   TEXT NOT NULL,
  sensor   TEXT NOT NULL,
  value    REAL NOT NULL,
  alarm    INTEGER NOT NULL,
  at       TEXT NOT NULL
);

CREATE INDEX readings_by_sensor ON readings (device, sensor, position);
CREATE INDEX readings_by_time ON readings (at);
