# An auction: lots that end, bids in a transaction, and prices that a slow watcher gets coalesced.

service {
  name    = "auction"
  version = "1.0.0"
}

constants {
  step        = 100 # cents: a bid must be so much higher than the one before
  link_secret = env("LINK_SECRET")
}

connector "live" {
  type = "websocket"
  port = env("PORT", 3000)
  auth {
    jwt {
      secret = env("JWT_SECRET")
    }
    required = false # anybody may watch
  }
  room "lot:{id}" {
    step "lot" {
      connector = "db"
      query     = "SELECT id FROM lots WHERE id = :id"
      params    = { id = "match.id" }
    }
    join = "step.lot != null && string(step.lot.id) == match.id" # not `lot:1.0`
  }
  rate_limit {
    messages = 20
    burst    = 40
  }
  slow_client {
    policy = "coalesce"
    key    = "output.lot" # a frame replaces an older one of the same type and lot
  }
}

connector "api" {
  type = "rest"
  port = env("PORT", 3000)
  auth {
    jwt {
      secret = env("JWT_SECRET")
    }
  }
}

connector "db" {
  type       = "database"
  driver     = "sqlite"
  database   = env("DATABASE", "./data/auction.db")
  migrations = "./migrations"
}

# Bids

type "bid" {
  lot    = integer({ min = 1 })
  amount = integer({ min = 1, max = 100000000000 }) # cents
}

flow "bid" {
  from {
    connector = "live"
    operation = "bid"
  }
  validate { input = "bid" }
  reject {
    when    = "client.user_id == null"
    code    = "sign_in"
    message = "sign in to bid"
  }
  step "lot" {
    connector = "db"
    query     = "SELECT kind, highest_bid FROM lots WHERE id = :lot"
    params    = { lot = "input.lot" }
  }
  reject {
    when    = "step.lot == null"
    code    = "no_such_lot"
    message = "there is no such lot"
  }
  reject {
    when    = "step.lot.kind == 'fixed'"
    code    = "fixed_price"
    message = "this lot has a fixed price"
  }

  # One transaction. What can change at any moment is read and judged inside it: of two bids at
  # once, the second one sees the first.
  to "former" {
    connector = "db"
    atomic    = true
    query     = "SELECT highest_bid, highest_bidder, state = 'closed' OR ends_at <= CURRENT_TIMESTAMP AS closed FROM lots WHERE id = :lot"
    params    = { lot = "payload.lot" }
  }
  reject {
    when    = "results.former[0].closed == 1"
    code    = "lot_closed"
    message = "the lot is closed"
  }
  reject {
    when    = "payload.amount < results.former[0].highest_bid + constants.step"
    code    = "too_low"
    message = "the bid is too low"
  }
  to "bid" {
    connector = "db"
    target    = "bids"
    atomic    = true
    transform {
      lot    = "payload.lot"
      amount = "payload.amount"
      bidder = "client.user_id"
    }
  }
  to "lot" {
    connector = "db"
    operation = "UPDATE"
    target    = "lots"
    key       = "id"
    atomic    = true
    transform {
      id             = "payload.lot"
      highest_bid    = "payload.amount"
      highest_bidder = "client.user_id"
    }
  }
  to "so_far" {
    connector = "db"
    atomic    = true
    query     = "SELECT count(*) AS bids FROM bids WHERE lot = :lot"
    params    = { lot = "payload.lot" }
  }

  to {
    connector = "live"
    operation = "send_to_room"
    target    = "'lot:' + string(payload.lot)"
    frame     = "price"
    transform {
      lot         = "payload.lot"
      amount      = "payload.amount"
      amount_text = "format_number(payload.amount / 100.0, 2)"
      bidder      = "client.user_id"
      bids        = "results.so_far[0].bids"
    }
  }
  to {
    connector = "live"
    operation = "send_to_user"
    target    = "results.former[0].highest_bidder"
    when      = "results.former[0].highest_bidder != null && results.former[0].highest_bidder != string(client.user_id)"
    frame     = "outbid"
    transform {
      lot         = "payload.lot"
      amount      = "payload.amount"
      amount_text = "format_number(payload.amount / 100.0, 2)"
    }
  }
  response {
    id = "results.bid.id"
  }

  error_handling {
    error_response {
      when = "error.code == 'too_low'"
      body {
        message          = "'the bid must be at least ' + format_number((step.lot.highest_bid + constants.step) / 100.0, 2)"
        highest_bid      = "step.lot.highest_bid"
        highest_bid_text = "format_number(step.lot.highest_bid / 100.0, 2)"
      }
    }
  }
}

# The clock: one flow for all lots

flow "every_second" {
  when = "@every 1s"
  step "open" {
    connector = "db"
    query     = "SELECT id, ends_at FROM lots WHERE state = 'open' AND ends_at > CURRENT_TIMESTAMP"
    rows      = "all"
  }
  step "ended" {
    connector = "db"
    query     = "SELECT id, highest_bidder, highest_bid FROM lots WHERE state = 'open' AND ends_at <= CURRENT_TIMESTAMP"
    rows      = "all"
  }

  to {
    each      = "step.open"
    connector = "live"
    operation = "send_to_room"
    target    = "'lot:' + string(item.id)"
    frame     = "countdown"
    transform {
      lot          = "item.id"
      seconds_left = "(timestamp(item.ends_at) - now()).getSeconds()"
    }
  }

  to {
    each      = "step.ended"
    connector = "db"
    operation = "UPDATE"
    target    = "lots"
    key       = "id"
    transform {
      id    = "item.id"
      state = "'closed'"
    }
  }
  to {
    each      = "step.ended"
    connector = "live"
    operation = "send_to_room"
    target    = "'lot:' + string(item.id)"
    when      = "item.highest_bidder == null"
    frame     = "unsold"
    transform {
      lot = "item.id"
    }
  }
  to {
    each      = "step.ended"
    connector = "live"
    operation = "send_to_room"
    target    = "'lot:' + string(item.id)"
    when      = "item.highest_bidder != null"
    frame     = "sold"
    transform {
      use = "transform.sold"
    }
  }
  to {
    each      = "step.ended"
    connector = "live"
    operation = "send_to_user"
    target    = "item.highest_bidder"
    when      = "item.highest_bidder != null"
    filter    = "!('lot:' + string(item.id) in client.rooms)" # the others have it from the room
    frame     = "sold"
    transform {
      use = "transform.sold"
    }
  }
}

transform "sold" {
  lot         = "item.id"
  bidder      = "item.highest_bidder"
  amount      = "item.highest_bid"
  amount_text = "format_number(item.highest_bid / 100.0, 2)"
}

# Lots

type "lot_search" {
  state = string({ enum = ["open", "closed"], required = false })
  min   = integer({ required = false })
}

flow "list_lots" {
  from {
    connector = "api"
    operation = "GET /lots"
    public    = true
  }
  validate { input = "lot_search" }
  step "lots" {
    connector = "db"
    query     = <<-SQL
      SELECT id, kind, title, ends_at, highest_bid, highest_bidder, state FROM lots
      WHERE (:state IS NULL OR state = :state) AND (:min IS NULL OR highest_bid >= :min)
      ORDER BY id
    SQL
    params = { state = "input.state", min = "input.min" }
    rows   = "all"
  }
  response {
    lots = "step.lots.map(lot, merge(lot, {'highest_bid_text': format_number(lot.highest_bid / 100.0, 2)}))"
  }
}

type "lot_address" {
  id = integer
}

flow "show_lot" {
  from {
    connector = "api"
    operation = "GET /lots/:id"
    public    = true
  }
  validate { input = "lot_address" }
  step "lot" {
    connector = "db"
    query     = file("lot.sql")
    params    = { id = "input.id" }
  }
  reject {
    when    = "step.lot == null"
    code    = "no_such_lot"
    status  = 404
    message = "there is no such lot"
  }
  transform {
    use = "transform.lot"
  }
  response {
    lot = "payload"
  }
}

transform "lot" {
  id               = "step.lot.id"
  kind             = "step.lot.kind"
  title            = "step.lot.title"
  ends_at          = "step.lot.ends_at"
  highest_bid      = "step.lot.highest_bid"
  highest_bid_text = "format_number(step.lot.highest_bid / 100.0, 2)"
  highest_bidder   = "step.lot.highest_bidder"
  state            = "step.lot.state"
}

type "new_lots" {
  lots = array(one_of(auction, fixed), { min_length = 1, max_length = 100 })
}

type "auction" {
  kind        = string({ enum = ["auction"] })
  title       = string({ trim = true, min_length = 1, max_length = 200 })
  start_price = integer({ min = 0, max = 100000000000 })
  minutes     = integer({ min = 1, max = 100000 })
}

type "fixed" {
  kind  = string({ enum = ["fixed"] })
  title = string({ trim = true, min_length = 1, max_length = 200 })
  price = integer({ min = 1, max = 100000000000 })
}

flow "add_lots" {
  from {
    connector = "api"
    operation = "POST /lots"
  }
  accept { when = "client.claims.role == 'seller'" }
  validate { input = "new_lots" }
  to "lots" {
    connector = "db"
    target    = "lots"
    atomic    = true
    each      = "payload.lots"
    transform {
      kind        = "item.kind"
      title       = "item.title"
      highest_bid = "default(item.start_price, item.price)"
      ends_at     = "item.kind == 'fixed' ? null : format_date(now() + duration(string(item.minutes) + 'm'), 'YYYY-MM-DD HH:mm:ss')"
      seller      = "client.user_id"
    }
  }
  to {
    connector = "live"
    operation = "broadcast"
    each      = "results.lots"
    frame     = "lot_added"
    transform {
      lot         = "item.id"
      kind        = "item.kind"
      title       = "item.title"
      ends_at     = "item.ends_at"
      amount      = "item.highest_bid"
      amount_text = "format_number(item.highest_bid / 100.0, 2)"
    }
  }
  response {
    ids = "pluck(results.lots, 'id')"
  }
}

# Share links

flow "lot_link" {
  from {
    connector = "api"
    operation = "GET /lots/:id/link"
    public    = true
  }
  validate { input = "lot_address" }
  step "lot" {
    connector = "db"
    query     = file("lot.sql")
    params    = { id = "input.id" }
  }
  reject {
    when    = "step.lot == null"
    code    = "no_such_lot"
    status  = 404
    message = "there is no such lot"
  }
  transform {
    signature = "hmac_sha256(constants.link_secret, string(step.lot.id))"
  }
  response {
    slug      = "slug(step.lot.title)"
    signature = "payload.signature"
    path      = "'/shared/' + string(step.lot.id) + '/' + payload.signature"
  }
}

flow "shared_lot" {
  from {
    connector = "api"
    operation = "GET /shared/:id/:signature"
    public    = true
  }
  reject {
    when    = "input.signature != hmac_sha256(constants.link_secret, input.id)"
    code    = "bad_link"
    message = "the link is not valid"
  }
  step "lot" {
    connector = "db"
    query     = file("lot.sql")
    params    = { id = "input.id" }
  }
  reject {
    when    = "step.lot == null"
    code    = "no_such_lot"
    status  = 404
    message = "there is no such lot"
  }
  transform {
    use = "transform.lot"
  }
  response {
    lot = "payload"
  }
}
