# REST

test "the status is open for all" {
  given "api" { operation = "GET /status" }
  expect "api" {
    status = 200
    data   = { status = "ok" }
  }
}

test "a request needs a token, and the token needs a known role" {
  given "api" {
    operation = "POST /tickets"
    data      = { subject = "Printer" }
  }
  expect "api" {
    status = 401
    error  = "unauthorized"
  }
  given "api" {
    operation = "POST /tickets"
    claims    = { sub = "ada", role = "boss" }
    data      = { subject = "Printer" }
  }
  expect "api" {
    status = 401
    error  = "unauthorized"
  }
}

test "a new ticket has its creator as a member" {
  given "api" {
    operation = "POST /tickets"
    claims    = { sub = "ada", role = "customer" }
    data      = { subject = "  Printer  " }
  }
  expect "db" {
    target = "tickets"
    data   = { subject = "Printer", priority = "normal", creator = "ada" }
  }
  expect "db" {
    target = "members"
    data   = { ticket = 1, user = "ada" }
  }
  expect "api" {
    status = 201
    data   = { id = 1 }
  }
}

test "a ticket without a member is no ticket" {
  mock "db" {
    target = "members"
    error  = "is full"
    times  = 1
  }
  given "api" {
    operation = "POST /tickets"
    claims    = { sub = "ada", role = "customer" }
    data      = { subject = "Printer", request_id = "r1" }
  }
  expect "api" {
    status = 500
    error  = "flow_failed"
  }
  # The ticket was not stored, and the request_id was forgotten.
  given "api" {
    operation = "GET /tickets/1/messages"
    claims    = { sub = "max", role = "moderator" }
  }
  expect "api" {
    status = 404
    error  = "no_such_ticket"
  }
  given "api" {
    operation = "POST /tickets"
    claims    = { sub = "ada", role = "customer" }
    data      = { subject = "Printer", request_id = "r1" }
  }
  expect "api" {
    status = 201
    data   = { id = 1 }
  }
}

test "a repeated request gets the first answer for ten minutes" {
  given "api" {
    operation = "POST /tickets"
    claims    = { sub = "ada", role = "customer" }
    data      = { subject = "Printer", request_id = "r1" }
  }
  expect "api" {
    status = 201
    data   = { id = 1 }
  }
  advance { by = "9m" }
  given "api" {
    operation = "POST /tickets"
    claims    = { sub = "ada", role = "customer" }
    data      = { subject = "Printer", request_id = "r1" }
  }
  expect "api" {
    status = 201
    data   = { id = 1 }
  }
  # Another user with the same request_id makes another ticket.
  given "api" {
    operation = "POST /tickets"
    claims    = { sub = "bob", role = "customer" }
    data      = { subject = "Printer", request_id = "r1" }
  }
  expect "api" {
    status = 201
    data   = { id = 2 }
  }
  advance { by = "61s" }
  given "api" {
    operation = "POST /tickets"
    claims    = { sub = "ada", role = "customer" }
    data      = { subject = "Printer", request_id = "r1" }
  }
  expect "api" {
    status = 201
    data   = { id = 3 }
  }
}

test "a bad ticket is refused" {
  given "api" {
    operation = "POST /tickets"
    claims    = { sub = "ada", role = "customer" }
    data      = { subject = " ab ", priority = "urgent", creator = "eve" }
  }
  expect "api" {
    status = 422
    error  = "validation_failed"
  }
  expect "db" { nothing = true }
}

test "members and moderators read the history, others do not" {
  client "ada" {
    claims = { sub = "ada", role = "customer" }
  }
  given "api" {
    operation = "POST /tickets"
    claims    = { sub = "ada", role = "customer" }
    data      = { subject = "Printer" }
  }
  expect "api" { status = 201 }
  given "ada" {
    operation = "say"
    room      = "ticket:1"
    data      = { text = "one" }
  }
  given "ada" {
    operation = "say"
    room      = "ticket:1"
    data      = { text = "two" }
  }
  given "ada" {
    operation = "say"
    room      = "ticket:1"
    data      = { text = "three" }
  }
  given "api" {
    operation = "GET /tickets/1/messages?limit=1&after=1"
    claims    = { sub = "ada", role = "customer" }
  }
  expect "api" {
    status = 200
    data   = { messages = [{ id = 2, author = "ada", text = "two" }] }
  }
  given "api" {
    operation = "GET /tickets/1/messages"
    claims    = { sub = "max", role = "moderator" }
  }
  expect "api" {
    data = { messages = [{ text = "one" }, { text = "two" }, { text = "three" }] }
  }
  given "api" {
    operation = "GET /tickets/1/messages"
    claims    = { sub = "amy", role = "agent" }
  }
  expect "api" {
    status = 403
    error  = "not_a_member"
  }
  given "api" {
    operation = "GET /tickets/2/messages"
    claims    = { sub = "ada", role = "customer" }
  }
  expect "api" {
    status = 404
    error  = "no_such_ticket"
  }
  given "api" {
    operation = "GET /tickets/1/messages?limit=many"
    claims    = { sub = "ada", role = "customer" }
  }
  expect "api" {
    status = 422
    error  = "validation_failed"
  }
}

test "only members add members" {
  given "api" {
    operation = "POST /tickets"
    claims    = { sub = "ada", role = "customer" }
    data      = { subject = "Printer" }
  }
  expect "api" { status = 201 }
  given "api" {
    operation = "POST /tickets/1/members"
    claims    = { sub = "max", role = "moderator" }
    data      = { user = "max" }
  }
  expect "api" {
    status = 403
    error  = "not_a_member"
  }
  given "api" {
    operation = "POST /tickets/1/members"
    claims    = { sub = "ada", role = "customer" }
    data      = { user = " amy " }
  }
  expect "api" {
    status = 200
    data   = { ticket = 1, user = "amy" }
  }
  given "api" {
    operation = "POST /tickets/1/members"
    claims    = { sub = "amy", role = "agent" }
    data      = { user = "ada" }
  }
  expect "api" { status = 200 }
  given "api" {
    operation = "POST /tickets/2/members"
    claims    = { sub = "ada", role = "customer" }
    data      = { user = "amy" }
  }
  expect "api" {
    status = 404
    error  = "no_such_ticket"
  }
  given "api" {
    operation = "POST /tickets/1/members"
    claims    = { sub = "ada", role = "customer" }
    data      = { user = " " }
  }
  expect "api" {
    status = 422
    error  = "validation_failed"
  }
}

# WebSocket

test "members and moderators join the room, others do not" {
  client "ada" {
    claims = { sub = "ada", role = "customer" }
  }
  client "amy" {
    claims = { sub = "amy", role = "agent" }
  }
  client "max" {
    claims = { sub = "max", role = "moderator" }
  }
  given "api" {
    operation = "POST /tickets"
    claims    = { sub = "ada", role = "customer" }
    data      = { subject = "Printer" }
  }
  expect "api" { status = 201 }
  given "ada" {
    operation = "join_room"
    room      = "ticket:1"
    id        = 1
  }
  expect "ada" { type = "ack" }
  given "max" {
    operation = "join_room"
    room      = "ticket:1"
    id        = 1
  }
  expect "max" { type = "ack" }
  given "amy" {
    operation = "join_room"
    room      = "ticket:1"
  }
  expect "amy" { error = "room_forbidden" }
  given "ada" {
    operation = "join_room"
    room      = "ticket:01"
  }
  expect "ada" { error = "room_forbidden" }
}

test "a ticket tells its readers, and a reload is not told" {
  client "ada" {
    claims = { sub = "ada", role = "customer" }
  }
  client "max" {
    claims = { sub = "max", role = "moderator" }
  }
  given "api" {
    operation = "POST /tickets"
    claims    = { sub = "ada", role = "customer" }
    data      = { subject = "Printer" }
  }
  expect "api" { status = 201 }
  given "ada" {
    operation = "join_room"
    room      = "ticket:1"
    presence  = true
  }
  expect "ada" {
    type     = "presence"
    room     = "ticket:1"
    presence = { count = 1, members = [{ user_id = "ada", info = { role = "customer" } }] }
  }
  given "max" {
    operation = "join_room"
    room      = "ticket:1"
  }
  expect "ada" {
    type     = "presence"
    presence = { count = 2, joined = [{ user_id = "max", info = { role = "moderator" } }] }
  }

  given "max" {
    operation = "disconnect"
    code      = 1001
  }
  given "max" { operation = "connect" }
  given "max" {
    operation = "join_room"
    room      = "ticket:1"
  }
  advance { by = "10s" }
  expect "ada" { nothing = true }
  given "max" { operation = "disconnect" }
  expect "ada" {
    type     = "presence"
    presence = { count = 1, left = [{ user_id = "max" }] }
  }
  expect "max" { nothing = true }
}

test "a message is stored and reaches the room" {
  client "ada" {
    claims = { sub = "ada", role = "customer" }
  }
  client "max" {
    claims = { sub = "max", role = "moderator" }
    rooms  = ["ticket:1"]
  }
  client "amy" {
    claims = { sub = "amy", role = "agent" }
  }
  given "api" {
    operation = "POST /tickets"
    claims    = { sub = "ada", role = "customer" }
    data      = { subject = "Printer" }
  }
  expect "api" { status = 201 }
  given "ada" {
    operation = "say"
    room      = "ticket:1"
    id        = 7
    data      = { text = " hello " }
  }
  expect "ada" {
    type = "ack"
    id   = 7
    data = { id = 1 }
  }
  expect "max" {
    type = "message_added"
    room = "ticket:1"
    data = { id = 1, ticket = 1, author = "ada", text = "hello", created_at = "2026-01-01T00:00:00.000Z" }
  }
  given "amy" {
    operation = "say"
    room      = "ticket:1"
    data      = { text = "hello" }
  }
  expect "amy" { error = "not_a_member" }
  given "ada" {
    operation = "say"
    room      = "ticket:2"
    data      = { text = "hello" }
  }
  expect "ada" { error = "no_such_ticket" }
  given "ada" {
    operation = "say"
    room      = "ticket:1 OR 1=1"
    data      = { text = "hello" }
  }
  expect "ada" { error = "no_such_ticket" }
  given "ada" {
    operation = "say"
    data      = { text = "hello" }
  }
  expect "ada" { error = "no_such_ticket" }
  given "ada" {
    operation = "say"
    room      = "ticket:1"
    data      = { text = "  " }
  }
  expect "ada" { error = "validation_failed" }
  expect "max" { nothing = true }
}

test "typing reaches the others, five times a second, and is not stored" {
  client "ada" {
    claims = { sub = "ada", role = "moderator" }
    rooms  = ["ticket:1"]
  }
  client "max" {
    claims = { sub = "max", role = "moderator" }
    rooms  = ["ticket:1"]
  }
  client "eve" {
    claims = { sub = "eve", role = "customer" }
  }
  given "ada" {
    operation = "typing"
    room      = "ticket:1"
  }
  given "ada" {
    operation = "typing"
    room      = "ticket:1"
  }
  expect "max" {
    type  = "typing"
    room  = "ticket:1"
    data  = { user = "ada" }
    count = 1
  }
  advance { by = "200ms" }
  given "ada" {
    operation = "typing"
    room      = "ticket:1"
  }
  expect "max" { type = "typing" }
  expect "ada" { nothing = true }
  given "eve" {
    operation = "typing"
    room      = "ticket:1"
  }
  expect "eve" { error = "rejected" }
  expect "db" { nothing = true }
}

test "a slow client gets the newest typing and every message" {
  client "ada" {
    claims = { sub = "ada", role = "moderator" }
    rooms  = ["ticket:1"]
  }
  client "max" {
    claims = { sub = "max", role = "moderator" }
    rooms  = ["ticket:1"]
    reads  = false
  }
  given "api" {
    operation = "POST /tickets"
    claims    = { sub = "ada", role = "customer" }
    data      = { subject = "Printer" }
  }
  expect "api" { status = 201 }
  given "ada" {
    operation = "typing"
    room      = "ticket:1"
  }
  given "ada" {
    operation = "say"
    room      = "ticket:1"
    data      = { text = "one" }
  }
  given "ada" {
    operation = "say"
    room      = "ticket:1"
    data      = { text = "two" }
  }
  advance { by = "1s" }
  given "ada" {
    operation = "typing"
    room      = "ticket:1"
  }
  given "max" { reads = true }
  expect "max" {
    type  = "message_added"
    count = 2
  }
  expect "max" {
    type  = "typing"
    count = 1
  }
}

test "a moderator deletes a message" {
  client "ada" {
    claims = { sub = "ada", role = "customer" }
  }
  client "max" {
    claims = { sub = "max", role = "moderator" }
    rooms  = ["ticket:1"]
  }
  given "api" {
    operation = "POST /tickets"
    claims    = { sub = "ada", role = "customer" }
    data      = { subject = "Printer" }
  }
  expect "api" { status = 201 }
  given "ada" {
    operation = "say"
    room      = "ticket:1"
    data      = { text = "one" }
  }
  expect "max" { type = "message_added" }
  given "ada" {
    operation = "delete_message"
    data      = { id = 1 }
  }
  expect "ada" { error = "forbidden" }
  given "max" {
    operation = "delete_message"
    id        = 1
    data      = { id = 1 }
  }
  expect "max" {
    type = "message_deleted"
    room = "ticket:1"
    data = { id = 1, ticket = 1 }
  }
  expect "max" { type = "ack" }
  given "max" {
    operation = "delete_message"
    data      = { id = 1 }
  }
  expect "max" { error = "no_such_message" }
  given "max" {
    operation = "delete_message"
    data      = { id = "1" }
  }
  expect "max" { error = "validation_failed" }
}

test "if two moderators delete one message, the room hears it once" {
  client "max" {
    claims = { sub = "max", role = "moderator" }
    rooms  = ["ticket:1"]
  }
  mock "db" {
    step    = "message"
    returns = { id = 1, ticket = 1 }
  }
  given "max" {
    operation = "delete_message"
    id        = 1
    data      = { id = 1 }
  }
  expect "max" { type = "ack" }
  expect "max" { nothing = true }
}

test "an agent closes a ticket, and the audit table has the address" {
  client "ada" {
    claims = { sub = "ada", role = "customer" }
  }
  client "amy" {
    claims      = { sub = "amy", role = "agent" }
    remote_addr = "10.1.2.3"
    headers     = { x-forwarded-for = "203.0.113.9" }
  }
  given "api" {
    operation = "POST /tickets"
    claims    = { sub = "ada", role = "customer" }
    data      = { subject = "Printer" }
  }
  expect "api" { status = 201 }
  given "ada" {
    operation = "close_ticket"
    data      = { id = 1 }
  }
  expect "ada" { error = "forbidden" }
  given "amy" {
    operation = "close_ticket"
    data      = { id = 2 }
  }
  expect "amy" { error = "no_such_ticket" }
  given "amy" {
    operation = "close_ticket"
    data      = { id = 0 }
  }
  expect "amy" { error = "validation_failed" }
  given "amy" {
    operation = "close_ticket"
    id        = 1
    data      = { id = 1 }
  }
  expect "amy" { type = "ack" }
  expect "db" {
    target = "audit"
    data   = { ticket = 1, action = "close_ticket", user = "amy", remote_addr = "203.0.113.9" }
  }
  given "amy" {
    operation = "close_ticket"
    data      = { id = 1 }
  }
  expect "amy" { error = "ticket_closed" }
  given "ada" {
    operation = "say"
    room      = "ticket:1"
    data      = { text = "one more thing" }
  }
  expect "ada" { error = "ticket_closed" }
}

test "a ticket stays open if the audit fails" {
  client "ada" {
    claims = { sub = "ada", role = "customer" }
  }
  client "amy" {
    claims = { sub = "amy", role = "agent" }
  }
  mock "db" {
    target = "audit"
    error  = "is full"
  }
  given "api" {
    operation = "POST /tickets"
    claims    = { sub = "ada", role = "customer" }
    data      = { subject = "Printer" }
  }
  expect "api" { status = 201 }
  given "amy" {
    operation = "close_ticket"
    data      = { id = 1 }
  }
  expect "amy" { error = "flow_failed" }
  given "ada" {
    operation = "say"
    room      = "ticket:1"
    id        = 1
    data      = { text = "still open" }
  }
  expect "ada" { type = "ack" }
}

test "while the database is away the answer is flow_failed" {
  client "ada" {
    claims = { sub = "ada", role = "customer" }
  }
  client "max" {
    claims = { sub = "max", role = "moderator" }
  }
  mock "db" { error = "is away" }
  given "ada" {
    operation = "join_room"
    room      = "ticket:1"
  }
  expect "ada" { error = "flow_failed" }
  given "max" {
    operation = "join_room"
    room      = "ticket:1"
  }
  expect "max" { error = "flow_failed" }
  given "ada" {
    operation = "say"
    room      = "ticket:1"
    data      = { text = "hello" }
  }
  expect "ada" { error = "flow_failed" }
  given "ada" {
    operation = "delete_message"
    data      = { id = 1 }
  }
  expect "ada" { error = "flow_failed" }
  given "ada" {
    operation = "close_ticket"
    data      = { id = 1 }
  }
  expect "ada" { error = "flow_failed" }
  given "api" {
    operation = "GET /tickets/1/messages"
    claims    = { sub = "ada", role = "customer" }
  }
  expect "api" {
    status = 500
    error  = "flow_failed"
  }
  given "api" {
    operation = "POST /tickets/1/members"
    claims    = { sub = "ada", role = "customer" }
    data      = { user = "amy" }
  }
  expect "api" {
    status = 500
    error  = "flow_failed"
  }
  given "api" {
    operation = "POST /tickets"
    claims    = { sub = "ada", role = "customer" }
    data      = { subject = "Printer" }
  }
  expect "api" {
    status = 500
    error  = "flow_failed"
  }
}

test "if two agents close a ticket at once, the second one is refused" {
  client "amy" {
    claims = { sub = "amy", role = "agent" }
  }
  given "api" {
    operation = "POST /tickets"
    claims    = { sub = "ada", role = "customer" }
    data      = { subject = "Printer" }
  }
  expect "api" { status = 201 }
  given "amy" {
    operation = "close_ticket"
    id        = 1
    data      = { id = 1 }
  }
  expect "amy" { type = "ack" }
  mock "db" {
    step    = "ticket"
    returns = { id = 1 }
  }
  given "amy" {
    operation = "close_ticket"
    id        = 2
    data      = { id = 1 }
  }
  expect "amy" { error = "ticket_closed" }
  expect "db" {
    target = "audit"
    count  = 1
  }
}

test "a ticket that is closed while a message is on its way does not take it" {
  client "ada" {
    claims = { sub = "ada", role = "customer" }
  }
  client "amy" {
    claims = { sub = "amy", role = "agent" }
  }
  given "api" {
    operation = "POST /tickets"
    claims    = { sub = "ada", role = "customer" }
    data      = { subject = "Printer" }
  }
  expect "api" { status = 201 }
  given "amy" {
    operation = "close_ticket"
    id        = 1
    data      = { id = 1 }
  }
  expect "amy" { type = "ack" }
  given "ada" {
    operation = "say"
    room      = "ticket:1"
    data      = { text = "too late" }
  }
  expect "ada" { error = "ticket_closed" }
}
