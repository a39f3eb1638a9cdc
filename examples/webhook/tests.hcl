# `weir test` runs these tests without Redis and without the other API: a broker in memory plays the
# streams, and a `mock` answers for the API.

constants {
  # hmac_sha256("a-secret-for-tries", "e1order.paid")
  signed_e1 = "21bed0a702998b2e1f0fc9f627261530252b93aef9e79352ca7dcfa916110858"

  paid = { id = "e1", type = "order.paid", data = { order = 7 } }
}

test "an event is delivered" {
  mock "partner" { returns = null }

  given "api" {
    operation = "POST /events"
    headers   = { x-signature = constants.signed_e1 }
    data      = constants.paid
  }
  expect "api" { data = { id = "e1", accepted = true } }
  expect "queue" {
    target = "events"
    data   = constants.paid
  }
  expect "partner" {
    operation = "POST /hooks"
    data      = constants.paid
  }
}

test "an event that comes twice is delivered once" {
  mock "partner" { returns = null }

  given "api" {
    operation = "POST /events"
    headers   = { x-signature = constants.signed_e1 }
    data      = constants.paid
  }
  given "api" {
    operation = "POST /events"
    headers   = { x-signature = constants.signed_e1 }
    data      = constants.paid
  }
  expect "api" {
    data  = { id = "e1", accepted = true }
    count = 2
  }
  expect "partner" {
    operation = "POST /hooks"
    count     = 1
  }
}

test "an event with a false signature, or of another shape, is refused" {
  given "api" {
    operation = "POST /events"
    data      = constants.paid
  }
  expect "api" {
    status = 401
    error  = "bad_signature"
  }
  given "api" {
    operation = "POST /events"
    headers   = { x-signature = constants.signed_e1 }
    data      = { id = "e1", type = "order.paid" }
  }
  expect "api" {
    status = 422
    error  = "validation_failed"
  }
  expect "queue" { nothing = true }
}

test "while the other API is away, the event waits and comes again" {
  mock "partner" {
    error = "is away"
    times = 1
  }
  mock "partner" { returns = null }

  given "queue" {
    operation = "events"
    data      = constants.paid
  }
  expect "queue" { error = "flow_failed" }
  expect "partner" { operation = "POST /hooks" }
  advance { by = "30s" }
  expect "partner" {
    operation = "POST /hooks"
    data      = constants.paid
  }
}

test "what fails for good is kept with its reason, and can be delivered again" {
  mock "partner" {
    error     = "answered 400"
    permanent = true
    times     = 1
  }
  mock "partner" { returns = null }

  given "queue" {
    operation = "events"
    data      = constants.paid
  }
  expect "queue" { error = "flow_failed" }
  expect "db" {
    target = "dead_letters"
    data   = { id = "e1", type = "order.paid" }
  }

  given "api" { operation = "GET /dead-letters" }
  expect "api" { data = [{ id = "e1", type = "order.paid" }] }

  given "api" { operation = "POST /dead-letters/e1/replay" }
  expect "api" { data = { id = "e1", replayed = true } }
  expect "partner" {
    operation = "POST /hooks"
    data      = constants.paid
    count     = 2
  }

  given "api" { operation = "POST /dead-letters/e1/replay" }
  expect "api" {
    status = 404
    error  = "no_such_dead_letter"
  }
}

test "a dead letter waits while the database is away" {
  mock "db" {
    target = "dead_letters"
    error  = "is away"
    times  = 4
  }

  given "dead" {
    operation = "events.dead"
    data      = constants.paid
  }
  advance { by = "2m" }
  expect "dead" {
    error = "flow_failed"
    count = 4
  }
  given "api" { operation = "GET /dead-letters" }
  expect "api" { data = [{ id = "e1" }] }
}
