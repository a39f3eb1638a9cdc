-- What each device has said of itself last.
CREATE TABLE devices (
  device TEXT PRIMARY KEY NOT NULL,
  online INTEGER NOT NULL
);
