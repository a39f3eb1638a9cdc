# Clients with a token: permission to connect, permission to send, and recipients by role.
#
# Another program signs users in and issues a JSON Web Token to each of them. Weir verifies the token.
# Nothing in this file depends on unverified data of a client.

constants {
  port    = env("PORT", 3000)
  origin  = env("ORIGIN", "http://localhost:3000") # where the page in public/ comes from
  sign_in = env("SIGN_IN_URL", "http://127.0.0.1:3001")
}

# ── Connectors ───────────────────────────────────────────────────────────────────────────────────

# The page imports the client library from /weir.js, and connects with connect("/ws", { token }). If
# token is a function, it is asked for the next token before this one expires. The connection of an
# expired token is closed.
connector "ws" {
  type    = "websocket"
  port    = constants.port
  static  = "./public"
  client  = "/weir.js"
  origins = [constants.origin, "https://shop.example.com"]

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
  port = constants.port

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

# The program that signs users in: sign-in.ts.
connector "sign_in" {
  type     = "http"
  base_url = constants.sign_in
  timeout  = "5s"
}

connector "db" {
  type       = "database"
  driver     = "sqlite"
  database   = env("AUTH_DB", "./data/auth.db")
  migrations = "./migrations"
}

# ── Tokens ───────────────────────────────────────────────────────────────────────────────────────

type "sign_in" {
  name    = string({ pattern = "^[a-z][a-z0-9-]*$", max_length = 20 })
  role    = string({ enum = ["customer", "staff"], default = "customer" })
  seconds = integer({ min = 1, max = 3600, default = 900 }) # how long the token is valid
}

# Who signs in has no token yet, so the route is public. The page asks this server for a token, so that
# it needs no other origin.
#
# curl --json '{"name":"ana"}' http://localhost:3000/tokens
flow "sign in" {
  from {
    connector = "api"
    operation = "POST /tokens"
    public    = true
  }
  validate { input = "sign_in" }
  step "issued" {
    connector = "sign_in"
    operation = "POST /tokens"
    params = {
      name    = "input.name"
      role    = "input.role"
      seconds = "input.seconds"
    }
  }
  response { token = "step.issued.token" }
  error_handling {
    error_response {
      when   = "error.step == 'issued'"
      status = 502
      body {
        error = "{'code': 'sign_in_failed', 'message': 'No token: is sign-in.ts running?'}"
      }
    }
  }
}

# The next token of a client that is connected: for the same user, the same role and the same time.
flow "renew" {
  from {
    connector = "ws"
    operation = "renew"
  }
  accept {
    step "blocked" {
      connector = "db"
      query     = "SELECT user_id FROM blocked WHERE user_id = :id"
      params    = { id = "client.user_id" }
    }
    when = "step.blocked == null"
  }
  step "issued" {
    connector = "sign_in"
    operation = "POST /tokens"
    params = {
      name    = "client.user_id"
      role    = "client.claims.role"
      seconds = "client.claims.exp - client.claims.iat"
    }
  }
  response { token = "step.issued.token" }
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
  response { recipients = "output.recipients" }
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
