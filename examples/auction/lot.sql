SELECT id, kind, title, ends_at, highest_bid, highest_bidder, state FROM lots WHERE id = :id
