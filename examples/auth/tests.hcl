# `weir test` runs these tests without a server. Clients need no token here: `user_id` and `claims` of
# a test replace it.

test "staff can notify one customer" {
  client "sam" {
    user_id = "sam"
    claims  = { role = "staff" }
  }
  client "ana" { user_id = "ana" }
  client "bob" { user_id = "bob" }

  given "sam" {
    operation = "notify"
    id        = 1
    data      = { to = "ana", text = "Your parcel is on its way" }
  }

  expect "ana" { data = { from = "sam", text = "Your parcel is on its way" } }
  expect "sam" {
    type = "ack"
    id   = 1
  }
  expect "bob" { nothing = true }
}

test "customers cannot notify" {
  client "ana" { user_id = "ana" }
  client "bob" { user_id = "bob" }

  given "ana" {
    operation = "notify"
    data      = { to = "bob", role = "staff", text = "You have won" }
  }

  expect "ana" { error = "rejected" }
  expect "bob" { nothing = true }
}

test "staff are notified of new clients" {
  client "sam" {
    user_id = "sam"
    claims  = { role = "staff" }
  }
  client "ana" { user_id = "ana" }
  client "bob" { user_id = "bob" }

  given "bob" { operation = "connect" }

  expect "sam" { data = { joined = "bob" } }
  expect "ana" { nothing = true }
}

test "blocked users are refused" {
  client "eve" { user_id = "eve" }

  mock "db" {
    step    = "blocked"
    returns = { user_id = "eve" }
  }
  given "eve" { operation = "connect" }

  expect "eve" { status = 403 }
}

test "clients without a token or from another site are refused" {
  client "stranger" {}
  client "page" {
    user_id = "ana"
    headers = { Origin = "https://shop.example.com.evil.com" }
  }

  given "stranger" { operation = "connect" }
  expect "stranger" { status = 401 }

  given "page" { operation = "connect" }
  expect "page" { status = 403 }
}

test "a connection ends with its token" {
  client "ana" {
    user_id = "ana"
    claims  = { exp = 1767226500 } # a quarter of an hour after the moment at which tests begin
  }

  advance { by = "14m" }
  expect "ana" { nothing = true }

  advance { by = "1m" }
  expect "ana" {
    type = "close"
    data = { code = 1008, reason = "token expired" }
  }
}

test "requests without a token reach public routes only" {
  given "api" { operation = "POST /users/ana/notifications" }
  expect "api" {
    status = 401
    error  = "unauthorized"
  }

  given "api" { operation = "GET /greeting" }
  expect "api" {
    status = 200
    data   = { text = "Hello, stranger" }
  }
}

test "staff can notify a customer over HTTP, and customers cannot" {
  client "ana" { user_id = "ana" }

  given "api" {
    operation = "POST /users/ana/notifications"
    user_id   = "sam"
    claims    = { role = "staff" }
    data      = { text = "Your parcel is on its way" }
  }
  expect "ana" { data = { from = "sam", text = "Your parcel is on its way" } }
  expect "api" { data = { recipients = 1 } }

  given "api" {
    operation = "POST /users/ana/notifications"
    user_id   = "bob"
    data      = { text = "You have won" }
  }
  expect "api" { error = "rejected" }
  expect "ana" { nothing = true }
}

test "a name is exchanged for a token, which another program issues" {
  mock "sign_in" {
    step    = "issued"
    returns = { token = "a.b.c" }
  }
  given "api" {
    operation = "POST /tokens"
    data      = { name = "ana" }
  }
  expect "api" {
    status = 200
    data   = { token = "a.b.c" }
  }

  given "api" {
    operation = "POST /tokens"
    data      = { name = "Ana B.", role = "admin" }
  }
  expect "api" { status = 422 }
}

test "without the other program there are no tokens" {
  mock "sign_in" {
    step  = "issued"
    error = "connection refused"
  }
  given "api" {
    operation = "POST /tokens"
    data      = { name = "ana" }
  }
  expect "api" {
    status = 502
    error  = "sign_in_failed"
  }
}

test "a client that is connected gets its next token, unless it was blocked" {
  client "ana" {
    user_id = "ana"
    claims  = { role = "customer", iat = 1767225600, exp = 1767226500 }
  }

  mock "sign_in" {
    step    = "issued"
    returns = { token = "d.e.f" }
  }
  given "ana" {
    operation = "renew"
    id        = 1
  }
  expect "ana" {
    type = "ack"
    data = { token = "d.e.f" }
  }

  mock "db" {
    step    = "blocked"
    returns = { user_id = "ana" }
  }
  given "ana" { operation = "renew" }
  expect "ana" { error = "rejected" }
}
