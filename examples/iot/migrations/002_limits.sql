-- The range in which a sensor is well. One that is not listed raises no alarm.
CREATE TABLE limits (
  sensor TEXT PRIMARY KEY NOT NULL,
  low    REAL NOT NULL,
  high   REAL NOT NULL,
  CHECK (low <= high)
);

INSERT INTO limits (sensor, low, high) VALUES
  ('temperature', 5, 35),
  ('humidity', 20, 80),
  ('battery', 20, 100);
