# A support desk: customers and agents write to each other in tickets.

service {
  name    = "support-desk"
  version = "1.0.0"
}

constants {
  pages   = ["https://desk.example.com"]
  proxies = ["10.0.0.0/8"]
  # The user of a token. A token with an unknown role has no user, so it is refused.
  user = "claims.role in ['customer', 'agent', 'moderator'] ? claims.sub : null"
}

connector "ws" {
  type        = "websocket"
  port        = env("PORT", 3000)
  origins     = constants.pages
  trust_proxy = constants.proxies

  auth {
    jwt {
      secret = env("JWT_SECRET")
      user   = constants.user
    }
    from = ["protocol", "cookie:session"]
  }

  # Members of the ticket and moderators may join.
  room "ticket:{id}" {
    step "member" {
      connector = "db"
      query     = "SELECT ticket FROM members WHERE ticket = :id AND user = :user"
      params    = { id = "match.id", user = "client.user_id" }
    }
    # `ticket:07` is not another name of `ticket:7`.
    join = "match.id.matches('^[1-9][0-9]{0,14}$') && (client.claims.role == 'moderator' || step.member != null)"

    # The readers of the ticket, for pages that ask when they join.
    presence { info = "{'role': client.claims.role}" }
  }

  # A slow client gets only the newest `typing` of each user in a room, and all other messages.
  slow_client {
    policy = "coalesce"
    key    = "input.event == 'typing' ? [room, output.user] : null"
  }
}

connector "api" {
  type        = "rest"
  port        = env("PORT", 3000)
  origins     = constants.pages
  trust_proxy = constants.proxies

  auth {
    jwt {
      secret = env("JWT_SECRET")
      user   = constants.user
    }
    from = ["header:authorization", "cookie:session"]
  }

  # At most 60 requests in any minute: a full bucket of 20, and 40 more in the minute.
  rate_limit {
    messages = 40
    per      = "1m"
    burst    = 20
  }
}

connector "db" {
  type       = "database"
  driver     = "sqlite"
  database   = env("DATABASE", "./data/desk.db")
  migrations = "./migrations"
}

# REST

flow "status" {
  from {
    connector = "api"
    operation = "GET /status"
    public    = true
  }
  response { status = "'ok'" }
}

type "new_ticket" {
  subject    = string({ trim = true, min_length = 3, max_length = 120 })
  priority   = string({ enum = ["low", "normal", "high"], default = "normal" })
  request_id = string({ min_length = 1, max_length = 128, required = false })
}

flow "create_ticket" {
  from {
    connector = "api"
    operation = "POST /tickets"
  }
  validate { input = "new_ticket" }
  dedupe {
    key   = "input.request_id == null ? null : [client.user_id, input.request_id]"
    ttl   = "10m"
    store = "db"
  }
  to "ticket" {
    connector = "db"
    target    = "tickets"
    atomic    = true
    transform {
      subject    = "payload.subject"
      priority   = "payload.priority"
      creator    = "client.user_id"
      created_at = "now()"
    }
  }
  to {
    connector = "db"
    target    = "members"
    atomic    = true
    transform {
      ticket = "results.ticket.id"
      user   = "client.user_id"
    }
  }
  response { id = "results.ticket.id" }
}

type "history" {
  id    = integer({ min = 1 })
  limit = integer({ min = 1, max = 100, default = 20 })
  after = integer({ min = 0, default = 0 })
}

flow "history" {
  from {
    connector = "api"
    operation = "GET /tickets/:id/messages"
  }
  validate { input = "history" }
  step "ticket" {
    connector = "db"
    query     = "SELECT id FROM tickets WHERE id = :id"
    params    = { id = "input.id" }
  }
  step "member" {
    connector = "db"
    query     = "SELECT ticket FROM members WHERE ticket = :id AND user = :user"
    params    = { id = "input.id", user = "client.user_id" }
  }
  reject {
    when    = "step.ticket == null"
    code    = "no_such_ticket"
    status  = 404
    message = "There is no such ticket."
  }
  reject {
    when    = "step.member == null && client.claims.role != 'moderator'"
    code    = "not_a_member"
    message = "You are not a member of this ticket."
  }
  step "messages" {
    connector = "db"
    query     = "SELECT id, author, text, created_at FROM messages WHERE ticket = :id AND id > :after ORDER BY id LIMIT :limit"
    params    = { id = "input.id", after = "input.after", limit = "input.limit" }
    rows      = "all"
  }
  response { messages = "step.messages" }
}

type "new_member" {
  id   = integer({ min = 1 })
  user = string({ trim = true, min_length = 1, max_length = 255 })
}

flow "add_member" {
  from {
    connector = "api"
    operation = "POST /tickets/:id/members"
  }
  validate { input = "new_member" }
  step "ticket" {
    connector = "db"
    query     = "SELECT id FROM tickets WHERE id = :id"
    params    = { id = "input.id" }
  }
  step "member" {
    connector = "db"
    query     = "SELECT ticket FROM members WHERE ticket = :id AND user = :user"
    params    = { id = "input.id", user = "client.user_id" }
  }
  reject {
    when    = "step.ticket == null"
    code    = "no_such_ticket"
    status  = 404
    message = "There is no such ticket."
  }
  reject {
    when    = "step.member == null"
    code    = "not_a_member"
    message = "You are not a member of this ticket."
  }
  # A user who is a member already stays one.
  to {
    connector = "db"
    operation = "UPSERT"
    target    = "members"
    key       = ["ticket", "user"]
    transform {
      ticket = "payload.id"
      user   = "payload.user"
    }
  }
  response {
    ticket = "payload.id"
    user   = "payload.user"
  }
}

# WebSocket

type "new_message" {
  text = string({ trim = true, min_length = 1, max_length = 2000 })
}

flow "say" {
  from {
    connector = "ws"
    operation = "say"
  }
  validate { input = "new_message" }
  # `match.id` is what the room's pattern has for {id}.
  step "ticket" {
    connector = "db"
    query     = "SELECT id FROM tickets WHERE id = :id"
    params    = { id = "match.id" }
  }
  step "member" {
    connector = "db"
    query     = "SELECT ticket FROM members WHERE ticket = :id AND user = :user"
    params    = { id = "match.id", user = "client.user_id" }
  }
  reject {
    when    = "step.ticket == null"
    code    = "no_such_ticket"
    message = "There is no such ticket."
  }
  reject {
    when    = "step.member == null"
    code    = "not_a_member"
    message = "You are not a member of this ticket."
  }
  transform {
    ticket     = "step.ticket.id"
    author     = "client.user_id"
    text       = "input.text"
    created_at = "now()"
  }
  # In the transaction, nobody can close the ticket between the question and the message.
  to "ticket" {
    connector = "db"
    query     = "SELECT state FROM tickets WHERE id = :ticket"
    atomic    = true
  }
  reject {
    when    = "results.ticket[0].state == 'closed'"
    code    = "ticket_closed"
    message = "This ticket is closed."
  }
  to "saved" {
    connector = "db"
    target    = "messages"
    atomic    = true
  }
  to {
    connector = "ws"
    operation = "send_to_room"
    target    = "'ticket:' + string(payload.ticket)"
    frame     = "message_added"
    transform {
      extend = true
      id     = "results.saved.id"
    }
  }
  response { id = "results.saved.id" }
}

# Never stored. At most one in 200 ms for each connection and room, which is 5 a second.
flow "typing" {
  from {
    connector = "ws"
    operation = "typing"
  }
  accept { when = "input.room in client.rooms" }
  transform { user = "client.user_id" }
  dedupe {
    key = "[client.id, input.room]"
    ttl = "200ms"
  }
  to {
    connector      = "ws"
    operation      = "send_to_room"
    target         = "input.room"
    frame          = "typing"
    exclude_sender = true
  }
}

type "by_id" {
  id = integer({ min = 1 })
}

flow "delete_message" {
  from {
    connector = "ws"
    operation = "delete_message"
  }
  validate { input = "by_id" }
  # The look-up is first: while the database is away, the answer is `flow_failed`.
  step "message" {
    connector = "db"
    query     = "SELECT id, ticket FROM messages WHERE id = :id"
  }
  reject {
    when    = "client.claims.role != 'moderator'"
    code    = "forbidden"
    message = "Only a moderator may delete a message."
  }
  reject {
    when    = "step.message == null"
    code    = "no_such_message"
    message = "There is no such message."
  }
  to "deleted" {
    connector = "db"
    operation = "DELETE"
    target    = "messages"
    key       = "id"
  }
  to {
    when      = "results.deleted != null"
    connector = "ws"
    operation = "send_to_room"
    target    = "'ticket:' + string(step.message.ticket)"
    frame     = "message_deleted"
    transform {
      id     = "step.message.id"
      ticket = "step.message.ticket"
    }
  }
}

flow "close_ticket" {
  from {
    connector = "ws"
    operation = "close_ticket"
  }
  validate { input = "by_id" }
  step "ticket" {
    connector = "db"
    query     = "SELECT id FROM tickets WHERE id = :id"
  }
  reject {
    when    = "client.claims.role != 'agent'"
    code    = "forbidden"
    message = "Only an agent may close a ticket."
  }
  reject {
    when    = "step.ticket == null"
    code    = "no_such_ticket"
    message = "There is no such ticket."
  }
  # The ticket and the row in the audit table change together. If two agents close a ticket at the
  # same moment, the second one changes no row, and is refused.
  to "closed" {
    connector = "db"
    query     = "UPDATE tickets SET state = 'closed' WHERE id = :id AND state = 'open'"
    atomic    = true
  }
  reject {
    when    = "results.closed.changes == 0"
    code    = "ticket_closed"
    message = "This ticket is closed."
  }
  to {
    connector = "db"
    target    = "audit"
    atomic    = true
    transform {
      ticket      = "step.ticket.id"
      action      = "'close_ticket'"
      user        = "client.user_id"
      remote_addr = "client.remote_addr"
      created_at  = "now()"
    }
  }
  response { state = "'closed'" }
}
