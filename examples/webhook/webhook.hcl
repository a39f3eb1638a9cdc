# A service that takes events over HTTP and delivers them to another API, whatever happens in between.
#
#   caller ── POST /events ──▶ stream ──▶ POST of the other API
#                                │
#                                └─ after the last attempt ──▶ table dead_letters ──▶ replay
#
# The caller is answered once the event is in the stream. From there it is delivered at least once: if
# the other API is away, attempts are repeated, also after a restart of this service. What fails for
# good is kept, can be read, and can be delivered again.

constants {
  port = env("PORT", 3000)
}

# ── Connectors ───────────────────────────────────────────────────────────────────────────────────

connector "api" {
  type          = "rest"
  port          = constants.port
  max_body_size = "64KB"
}

# Events that wait for their delivery: a stream that several instances of this service share. `dlq` is
# the stream of those that were given up.
connector "queue" {
  type   = "mq"
  driver = "redis"
  url    = env("REDIS_URL", "redis://localhost:6379")

  queue {
    name = "webhook"
  }
  consumer {
    prefetch = 20

    dlq {
      stream      = env("DEAD_STREAM", "events.dead")
      max_retries = 4
      retry_delay = "30s"
    }
  }
}

# The stream of dead letters is read by a connector of its own. While the database is away, a letter
# waits: for more than a week, and then in a stream that nothing reads.
connector "dead" {
  type   = "mq"
  driver = "redis"
  url    = env("REDIS_URL", "redis://localhost:6379")

  queue {
    name = "webhook"
  }
  consumer {
    dlq {
      stream      = env("LOST_STREAM", "events.lost")
      max_retries = 20000
      retry_delay = "30s"
    }
  }
}

# The other API. Connection errors, 408, 429 and 5xx are repeated at once, a few times; if that is not
# enough, the event goes back to the stream and comes again after retry_delay.
connector "partner" {
  type     = "http"
  base_url = env("PARTNER_URL", "http://localhost:3100")
  timeout  = "5s"

  auth {
    bearer = env("PARTNER_TOKEN", "a-token-for-tries")
  }
  retry {
    attempts = 3
    delay    = "500ms"
    backoff  = "exponential"
  }
}

connector "db" {
  type       = "database"
  driver     = "sqlite"
  database   = env("WEBHOOK_DB", "./data/webhook.db")
  migrations = "./migrations"
}

# ── In ───────────────────────────────────────────────────────────────────────────────────────────

# The caller signs id and type with the secret: the header x-signature is their HMAC-SHA256, in hex.
constants {
  secret = env("WEBHOOK_SECRET", "a-secret-for-tries")
}

type "event" {
  id   = string({ min_length = 1, max_length = 60 })
  type = string({ pattern = "^[a-z]+\\.[a-z]+$" })
  data = object
}

# A caller that got no answer sends its event again. It gets the same answer, and nothing is delivered
# twice: `dedupe` keeps the ids of a day, also across restarts.
flow "receive" {
  from {
    connector = "api"
    operation = "POST /events"
  }
  validate {
    input = "event"
  }
  reject {
    when    = "input.headers.`x-signature` != hmac_sha256(constants.secret, input.id + input.type)"
    code    = "bad_signature"
    status  = 401
    message = "the signature does not fit the event"
  }
  transform {
    id   = "input.id"
    type = "input.type"
    data = "input.data"
  }
  dedupe {
    key   = "input.id"
    ttl   = "24h"
    store = "db"
  }
  to {
    connector = "queue"
    target    = env("STREAM", "events")
  }
  response {
    id       = "input.id"
    accepted = "true"
  }
}

# ── Out ──────────────────────────────────────────────────────────────────────────────────────────

# All attempts have the same Idempotency-Key, so that the other side can drop one that comes again. An
# answer such as 400 cannot become better: the event is a dead letter at once.
flow "deliver" {
  from {
    connector = "queue"
    operation = env("STREAM", "events")
  }
  to {
    connector       = "partner"
    operation       = "POST /hooks"
    idempotency_key = "input.id"
  }
}

# ── Dead letters ─────────────────────────────────────────────────────────────────────────────────

flow "bury" {
  from {
    connector = "dead"
    operation = env("DEAD_STREAM", "events.dead")
  }
  transform {
    id      = "input.id"
    type    = "input.type"
    event   = "to_json(input.body)"
    reason  = "default(input.headers.`x-weir-reason`, 'unknown')"
    died_at = "default(input.headers.`x-weir-time`, now())"
  }
  to {
    connector = "db"
    target    = "dead_letters"
    operation = "UPSERT"
    key       = "id"
  }
}

flow "list" {
  from {
    connector = "api"
    operation = "GET /dead-letters"
  }
  to {
    connector = "db"
    query     = "SELECT id, type, reason, died_at FROM dead_letters ORDER BY died_at, id LIMIT 100"
  }
}

# curl -X POST http://localhost:3000/dead-letters/e1/replay
flow "replay" {
  from {
    connector = "api"
    operation = "POST /dead-letters/:id/replay"
  }
  step "letter" {
    connector = "db"
    query     = "SELECT id, event FROM dead_letters WHERE id = :id"
    params    = { id = "input.id" }
  }
  reject {
    when    = "step.letter == null"
    code    = "no_such_dead_letter"
    status  = 404
    message = "no such dead letter"
  }
  # First into the stream, then out of the table: if the service ends in between, the event is
  # delivered twice, with the same Idempotency-Key, and never lost.
  to {
    connector = "queue"
    target    = env("STREAM", "events")
    each      = "[json(step.letter.event)]"
  }
  to {
    connector = "db"
    operation = "DELETE"
    target    = "dead_letters"
    key       = "id"
    transform {
      id = "step.letter.id"
    }
  }
  response {
    id       = "step.letter.id"
    replayed = "true"
  }
}
