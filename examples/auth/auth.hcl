# Clients with a token: permission to connect, permission to send, and recipients by role.
#
# Another program signs users in and issues a JSON Web Token to each of them. Weir verifies the token.
# Nothing in this file depends on unverified data of a client.

# ── Connectors ───────────────────────────────────────────────────────────────────────────────────

# A page connects with new WebSocket("ws://localhost:3000/ws", ["weir", token]). The connection is
# closed when its token expires, unless the page sends {"type":"auth","token":"…"} before that.
connector "ws" {
  type    = "websocket"
  port    = 3000
  origins = ["http://localhost:3000", "https://shop.example.com"]

  auth {
    jwt {
      secret   = env("JWT_SECRET")
      issuer   = "https://login.example.com"
      audience = "shop"
      user     = "claims.sub"
    }
    from = ["protocol", "header:authorization"]
  }
}

# The same tokens over HTTP, on the same port: Authorization: Bearer TOKEN
connector "api" {
  type = "rest"
  port = 3000

  auth {
    jwt {
      secret   = env("JWT_SECRET")
      issuer   = "https://login.example.com"
      audience = "shop"
    }
  }
  rate_limit {
    messages = 60
    per      = "1m"
  }
}

connector "db" {
  type       = "database"
  driver     = "sqlite"
  database   = env("AUTH_DB", "./data/auth.db")
  migrations = "./migrations"
}

# ── Permission to connect ────────────────────────────────────────────────────────────────────────

# A token is valid until it expires. The database has the users that were blocked in the meantime.
flow "refuse blocked users" {
  from {
    connector = "ws"
    operation = "connect"
  }
  accept {
    step "blocked" {
      connector = "db"
      query     = "SELECT user_id FROM blocked WHERE user_id = :id"
      params    = { id = "client.user_id" }
    }
    when = "step.blocked == null"
  }
}

# ── Permission to send ───────────────────────────────────────────────────────────────────────────

# {"type":"notify","id":1,"data":{"to":"ana","text":"Your parcel is on its way"}}
flow "staff notify a customer" {
  from {
    connector = "ws"
    operation = "notify"
  }
  accept { when = "client.claims.role == 'staff'" }
  transform {
    from = "client.user_id"
    text = "input.text"
  }
  to {
    connector = "ws"
    operation = "send_to_user"
    target    = "input.to"
  }
}

# The filter reads the claims of each recipient, from its newest token.
flow "notify staff of new clients" {
  from {
    connector = "ws"
    operation = "connect"
  }
  transform { joined = "client.user_id" }
  to {
    connector      = "ws"
    operation      = "broadcast"
    filter         = "client.claims.role == 'staff'"
    exclude_sender = true
  }
}

# ── Over HTTP ────────────────────────────────────────────────────────────────────────────────────

# POST /users/ana/notifications {"text":"Your parcel is on its way"}
flow "staff notify a customer over HTTP" {
  from {
    connector = "api"
    operation = "POST /users/:to/notifications"
  }
  accept { when = "client.claims.role == 'staff'" }
  transform {
    from = "client.user_id"
    text = "input.text"
  }
  to {
    connector = "ws"
    operation = "send_to_user"
    target    = "input.to"
  }
}

# This route needs no token, and uses one.
flow "greet" {
  from {
    connector = "api"
    operation = "GET /greeting"
    public    = true
  }
  response { text = "'Hello, ' + default(client.user_id, 'stranger')" }
}
