# Each test begins with an empty database, at 2026-01-01T00:00:00Z. So each test adds its lots first.

constants {
  test_lots = {
    lots = [
      { kind = "auction", title = "Red Fox, oil on canvas", start_price = 10000, minutes = 10 },
      { kind = "auction", title = "Old clock", start_price = 123450, minutes = 1 },
      { kind = "fixed", title = "Postcard", price = 250 },
    ]
  }
}

# --- bids

test "a bid: ack, price for the room, outbid for the former bidder alone" {
  client "ada" { user_id = "ada" }
  client "bob" { user_id = "bob" }
  client "eve" { user_id = "eve" }
  client "watcher" {}
  given "api" {
    operation = "POST /lots"
    claims    = { sub = "sam", role = "seller" }
    data      = constants.test_lots
  }
  expect "api" { status = 201 }
  expect "ada" {
    type  = "lot_added"
    count = 3
  }
  expect "bob" {
    type  = "lot_added"
    count = 3
  }
  expect "eve" {
    type  = "lot_added"
    count = 3
  }
  expect "watcher" {
    type  = "lot_added"
    count = 3
  }
  given "watcher" {
    operation = "join_room"
    room      = "lot:1"
  }

  given "ada" {
    operation = "bid"
    id        = 1
    data      = { lot = 1, amount = 10100 }
  }
  expect "ada" {
    type = "ack"
    id   = 1
    data = { id = 1 }
  }
  expect "ada" { nothing = true }
  expect "watcher" {
    type = "price"
    room = "lot:1"
    data = { lot = 1, amount = 10100, amount_text = "101.00", bidder = "ada", bids = 1 }
  }

  given "bob" {
    operation = "bid"
    id        = 1
    data      = { lot = 1, amount = 123450 }
  }
  expect "bob" {
    type = "ack"
    data = { id = 2 }
  }
  expect "watcher" {
    type = "price"
    data = { lot = 1, amount = 123450, amount_text = "1,234.50", bidder = "bob", bids = 2 }
  }
  expect "ada" {
    type = "outbid"
    data = { lot = 1, amount = 123450, amount_text = "1,234.50" }
  }

  # bob raises his own bid: nobody is outbid
  given "bob" {
    operation = "bid"
    data      = { lot = 1, amount = 123550 }
  }
  expect "bob" {
    type = "message"
    data = { id = 3 }
  }
  expect "watcher" { type = "price" }
  expect "ada" { nothing = true }
  expect "bob" { nothing = true }
  expect "eve" { nothing = true }
  expect "watcher" { nothing = true }

  given "api" { operation = "GET /lots/1" }
  expect "api" {
    status = 200
    data   = { lot = { highest_bid = 123550, highest_bid_text = "1,235.50", highest_bidder = "bob", state = "open" } }
  }
}

test "a bid that is refused changes nothing and says why" {
  client "ada" { user_id = "ada" }
  client "watcher" {}
  given "api" {
    operation = "POST /lots"
    claims    = { sub = "sam", role = "seller" }
    data      = constants.test_lots
  }
  given "watcher" {
    operation = "join_room"
    room      = "lot:1"
  }
  expect "watcher" {
    type  = "lot_added"
    count = 3
  }

  given "ada" {
    operation = "bid"
    id        = 1
    data      = { lot = 1, amount = 10099 }
  }
  expect "ada" {
    id      = 1
    error   = "too_low"
    details = { highest_bid = 10000, highest_bid_text = "100.00" }
  }
  given "ada" {
    operation = "bid"
    id        = 2
    data      = { lot = 99, amount = 10100 }
  }
  expect "ada" { error = "no_such_lot" }
  given "ada" {
    operation = "bid"
    id        = 3
    data      = { lot = 3, amount = 10100 }
  }
  expect "ada" { error = "fixed_price" }
  given "ada" {
    operation = "bid"
    id        = 4
    data      = { lot = 1, amount = 10100.5 }
  }
  expect "ada" { error = "validation_failed" }
  given "ada" {
    operation = "bid"
    id        = 5
    data      = { lot = "1", amount = "10100" }
  }
  expect "ada" {
    error   = "validation_failed"
    details = [{ path = "lot", message = "must be a whole number" }, { path = "amount", message = "must be a whole number" }]
  }
  given "watcher" {
    operation = "bid"
    id        = 6
    data      = { lot = 1, amount = 10100 }
  }
  expect "watcher" { error = "sign_in" }
  expect "watcher" { nothing = true }
  given "api" { operation = "GET /lots/1" }
  expect "api" { status = 201 }
  expect "api" {
    data = { lot = { highest_bid = 10000, highest_bidder = null } }
  }
}

test "a bid is written whole or not at all" {
  client "ada" { user_id = "ada" }
  given "api" {
    operation = "POST /lots"
    claims    = { sub = "sam", role = "seller" }
    data      = constants.test_lots
  }
  mock "db" {
    operation = "UPDATE"
    target    = "lots"
    error     = "the disk is full"
    times     = 1
  }
  given "ada" {
    operation = "bid"
    id        = 1
    data      = { lot = 1, amount = 10100 }
  }
  expect "ada" { error = "flow_failed" }
  # the next bid is the first one of the table
  given "ada" {
    operation = "bid"
    id        = 2
    data      = { lot = 1, amount = 10100 }
  }
  expect "ada" {
    type = "ack"
    data = { id = 1 }
  }
}

test "a bid is judged in its transaction, not by an older look-up" {
  client "ada" { user_id = "ada" }
  given "api" {
    operation = "POST /lots"
    claims    = { sub = "sam", role = "seller" }
    data      = constants.test_lots
  }
  mock "db" {
    step    = "lot"
    returns = { kind = "auction", highest_bid = 100 }
    times   = 1
  }
  given "ada" {
    operation = "bid"
    id        = 1
    data      = { lot = 1, amount = 300 }
  }
  expect "ada" {
    error   = "too_low"
    details = { highest_bid = 100 }
  }
  given "api" { operation = "GET /lots/1" }
  expect "api" { status = 201 }
  expect "api" {
    data = { lot = { highest_bid = 10000, highest_bidder = null } }
  }
}

test "a slow watcher gets only the newest price of each lot" {
  client "ada" { user_id = "ada" }
  client "slow" {}
  given "api" {
    operation = "POST /lots"
    claims    = { sub = "sam", role = "seller" }
    data      = constants.test_lots
  }
  given "slow" {
    operation = "join_room"
    room      = "lot:1"
  }
  given "slow" {
    operation = "join_room"
    room      = "lot:2"
  }
  expect "slow" {
    type  = "lot_added"
    count = 3
  }
  given "slow" { reads = false }
  given "ada" {
    operation = "bid"
    data      = { lot = 1, amount = 20000 }
  }
  given "ada" {
    operation = "bid"
    data      = { lot = 2, amount = 200000 }
  }
  given "ada" {
    operation = "bid"
    data      = { lot = 1, amount = 30000 }
  }
  given "ada" {
    operation = "bid"
    data      = { lot = 1, amount = 40000 }
  }
  expect "slow" { nothing = true }
  given "slow" { reads = true }
  expect "slow" {
    type = "price"
    data = { lot = 2, amount = 200000, bids = 1 }
  }
  expect "slow" {
    type = "price"
    data = { lot = 1, amount = 40000, bids = 3 }
  }
  expect "slow" { nothing = true }
}

test "a room needs its lot" {
  client "watcher" {}
  given "watcher" {
    operation = "join_room"
    room      = "lot:1"
    id        = 1
  }
  expect "watcher" { error = "room_forbidden" }
}

# --- the clock

test "countdown, sold and unsold" {
  client "ada" { user_id = "ada" }
  client "ada_elsewhere" { user_id = "ada" }
  client "bob" { user_id = "bob" }
  client "watcher" {}
  given "api" {
    operation = "POST /lots"
    claims    = { sub = "sam", role = "seller" }
    data = { lots = [
      { kind = "auction", title = "Fox", start_price = 10000, minutes = 1 },
      { kind = "auction", title = "Owl", start_price = 10000, minutes = 1 },
      { kind = "fixed", title = "Postcard", price = 250 },
    ] }
  }
  given "ada" {
    operation = "join_room"
    room      = "lot:1"
  }
  given "watcher" {
    operation = "join_room"
    room      = "lot:1"
  }
  given "watcher" {
    operation = "join_room"
    room      = "lot:2"
  }
  given "ada" {
    operation = "bid"
    data      = { lot = 1, amount = 10100 }
  }
  advance { by = "1s" }
  expect "watcher" {
    type = "countdown"
    room = "lot:1"
    data = { lot = 1, seconds_left = 59 }
  }
  expect "watcher" {
    type = "countdown"
    room = "lot:2"
    data = { lot = 2, seconds_left = 59 }
  }
  advance { by = "58s" }
  expect "watcher" {
    type = "countdown"
    data = { lot = 1, seconds_left = 1 }
  }
  expect "watcher" {
    type  = "countdown"
    count = 115
  }

  advance { by = "1s" }
  expect "watcher" {
    type = "sold"
    room = "lot:1"
    data = { lot = 1, bidder = "ada", amount = 10100, amount_text = "101.00" }
  }
  expect "watcher" {
    type = "unsold"
    room = "lot:2"
    data = { lot = 2 }
  }
  expect "watcher" {
    type  = "countdown"
    count = 0
  }
  expect "ada" {
    type  = "sold"
    count = 1
  }
  expect "ada_elsewhere" {
    type = "sold"
    data = { lot = 1, bidder = "ada", amount = 10100 }
  }
  expect "bob" {
    type  = "sold"
    count = 0
  }

  given "bob" {
    operation = "bid"
    id        = 1
    data      = { lot = 1, amount = 99900 }
  }
  expect "bob" { error = "lot_closed" }

  # afterwards nothing is told of them
  advance { by = "5s" }
  expect "watcher" {
    type  = "sold"
    count = 0
  }
  given "api" { operation = "GET /lots?state=closed" }
  expect "api" { status = 201 }
  expect "api" {
    data = { lots = [{ id = 1, state = "closed" }, { id = 2, state = "closed" }] }
  }
}

# --- REST

test "lots are listed and shown" {
  given "api" {
    operation = "POST /lots"
    claims    = { sub = "sam", role = "seller" }
    data      = constants.test_lots
  }
  expect "api" {
    status = 201
    data   = { ids = [1, 2, 3] }
  }
  given "api" { operation = "GET /lots" }
  expect "api" {
    status = 200
    data   = { lots = [{ id = 1 }, { id = 2 }, { id = 3, highest_bid_text = "2.50", ends_at = null }] }
  }
  given "api" { operation = "GET /lots?state=open&min=5000" }
  expect "api" {
    data = { lots = [
      { id = 1, kind = "auction", highest_bid = 10000, highest_bid_text = "100.00", highest_bidder = null, ends_at = "2026-01-01 00:10:00" },
      { id = 2, highest_bid_text = "1,234.50" },
    ] }
  }
  given "api" { operation = "GET /lots?state=closed" }
  expect "api" { data = { lots = [] } }
  given "api" { operation = "GET /lots?min=much&state=ajar" }
  expect "api" {
    status = 422
    error  = "validation_failed"
  }

  given "api" { operation = "GET /lots/2" }
  expect "api" {
    status = 200
    data   = { lot = { id = 2, title = "Old clock" } }
  }
  given "api" { operation = "GET /lots/9" }
  expect "api" {
    status = 404
    error  = "no_such_lot"
  }
  given "api" { operation = "GET /lots/nine" }
  expect "api" { status = 422 }
}

test "only a seller adds lots, all or none" {
  client "watcher" {}
  given "api" {
    operation = "POST /lots"
    data      = constants.test_lots
  }
  expect "api" { status = 401 }
  given "api" {
    operation = "POST /lots"
    user_id   = "ada"
    data      = constants.test_lots
  }
  expect "api" {
    status = 403
    error  = "rejected"
  }
  given "api" {
    operation = "POST /lots"
    claims    = { sub = "sam", role = "seller" }
    data = { lots = [
      { kind = "fixed", title = "Postcard", price = 250 },
      { kind = "fixed", title = " ", start_price = 250 },
      { kind = "gift", title = "Ribbon" },
    ] }
  }
  expect "api" {
    status = 422
    error  = "validation_failed"
  }
  given "api" {
    operation = "POST /lots"
    claims    = { sub = "sam", role = "seller" }
    data      = { lots = [{ kind = "fixed", title = "Postcard", price = 2.5 }] }
  }
  expect "api" {
    status = 422
    error  = "validation_failed"
  }
  expect "watcher" { nothing = true }
  given "api" { operation = "GET /lots" }
  expect "api" { data = { lots = [] } }

  given "api" {
    operation = "POST /lots"
    claims    = { sub = "sam", role = "seller" }
    data      = constants.test_lots
  }
  expect "api" { data = { ids = [1, 2, 3] } }
  expect "watcher" {
    type = "lot_added"
    data = { lot = 1, kind = "auction", title = "Red Fox, oil on canvas", amount = 10000, amount_text = "100.00" }
  }
  expect "watcher" {
    type  = "lot_added"
    count = 2
  }
}

test "a share link shows its lot and no other" {
  given "api" {
    operation = "POST /lots"
    claims    = { sub = "sam", role = "seller" }
    data      = constants.test_lots
  }
  expect "api" { status = 201 }
  given "api" { operation = "GET /lots/1/link" }
  expect "api" {
    status = 200
    data = {
      slug      = "red-fox-oil-on-canvas"
      signature = "6f27c9dbe19315e7d72eba237af1737ecaf8537c8b3d47435f26cff58df4771c"
      path      = "/shared/1/6f27c9dbe19315e7d72eba237af1737ecaf8537c8b3d47435f26cff58df4771c"
    }
  }
  given "api" { operation = "GET /shared/1/6f27c9dbe19315e7d72eba237af1737ecaf8537c8b3d47435f26cff58df4771c" }
  expect "api" {
    status = 200
    data   = { lot = { id = 1, title = "Red Fox, oil on canvas", highest_bid_text = "100.00" } }
  }
  given "api" { operation = "GET /shared/2/6f27c9dbe19315e7d72eba237af1737ecaf8537c8b3d47435f26cff58df4771c" }
  expect "api" {
    status = 403
    error  = "bad_link"
  }
  given "api" { operation = "GET /shared/9/246a47e92ee438814d1211d9f33fe1336e0d45779b14e49e4fc34d682aa145e3" }
  expect "api" {
    status = 404
    error  = "no_such_lot"
  }
  given "api" { operation = "GET /lots/9/link" }
  expect "api" { status = 404 }
  given "api" { operation = "GET /lots/nine/link" }
  expect "api" { status = 422 }
  given "api" { operation = "GET /shared/1/0000" }
  expect "api" {
    status = 403
    error  = "bad_link"
  }
}
