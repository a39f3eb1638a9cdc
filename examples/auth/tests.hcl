# What must happen, run without a server by `weir test`. Nobody needs a token here: a test says who
# its clients are by `user_id`, and what their tokens would say by `claims`.

test "staff notify a customer, and nobody else hears it" {
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

test "customers notify nobody" {
  client "ana" { user_id = "ana" }
  client "bob" { user_id = "bob" }

  given "ana" {
    operation = "notify"
    data      = { to = "bob", role = "staff", text = "You have won" }
  }

  expect "ana" { error = "rejected" }
  expect "bob" { nothing = true }
}

test "staff hear who comes" {
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

test "who is blocked stays out" {
  client "eve" { user_id = "eve" }

  mock "db" {
    step    = "blocked"
    returns = { user_id = "eve" }
  }
  given "eve" { operation = "connect" }

  expect "eve" { status = 403 }
}

test "without a token, or from another site, nobody gets in" {
  client "nobody" {}
  client "page" {
    user_id = "ana"
    headers = { Origin = "https://shop.example.com.evil.com" }
  }

  given "nobody" { operation = "connect" }
  expect "nobody" { status = 401 }

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
