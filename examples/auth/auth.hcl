# Clients with a token: who may connect, who may speak, and who is told what.
#
# Another program signs people in and gives each of them a JSON Web Token. Weir checks the token and
# knows from then on who the client is: nothing here depends on what a client says of itself.

# ── Connectors ───────────────────────────────────────────────────────────────────────────────────

# A page connects with new WebSocket("ws://localhost:3000/ws", ["weir", token]). The connection is
# closed when its token expires, unless the page sends {"type":"auth","token":"…"} before.
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

connector "db" {
  type       = "database"
  driver     = "sqlite"
  database   = env("AUTH_DB", "./data/auth.db")
  migrations = "./migrations"
}

# ── Who may connect ──────────────────────────────────────────────────────────────────────────────

# A token is good until it expires. Whom the shop has blocked meanwhile stands in the database.
flow "only those who are not blocked" {
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

# ── What they may do ─────────────────────────────────────────────────────────────────────────────

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

# The claims of a recipient are those of its newest token.
flow "staff hear who comes" {
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
