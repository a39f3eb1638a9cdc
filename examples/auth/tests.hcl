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
