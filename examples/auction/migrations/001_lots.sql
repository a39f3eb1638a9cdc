-- All amounts are whole cents. All times are UTC, as CURRENT_TIMESTAMP writes them.
CREATE TABLE lots (
  id             INTEGER PRIMARY KEY,
  kind           TEXT    NOT NULL CHECK (kind IN ('auction', 'fixed')),
  title          TEXT    NOT NULL,
  ends_at        TEXT    CHECK ((kind = 'fixed') = (ends_at IS NULL)),
  highest_bid    INTEGER NOT NULL, -- the start price, as long as there is no bidder; the price of a fixed lot
  highest_bidder TEXT,
  state          TEXT    NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'closed')),
  seller         TEXT    NOT NULL,
  created_at     TEXT    NOT NULL DEFAULT CURRENT_TIMESTAMP
);

CREATE TABLE bids (
  id         INTEGER PRIMARY KEY,
  lot        INTEGER NOT NULL REFERENCES lots (id),
  amount     INTEGER NOT NULL,
  bidder     TEXT    NOT NULL,
  created_at TEXT    NOT NULL DEFAULT CURRENT_TIMESTAMP
);

CREATE INDEX bids_of_lot ON bids (lot);
CREATE INDEX open_lots ON lots (state, ends_at);
