connector "ws" {
  type = "websocket"
  port = 3001
}

connector "db" {
  type     = "database"
  driver   = "sqlite"
  database = "chat.db"
}

flow "say" {
  from {
    connector = "ws"
    operation = "message"
    filter    = "step.author.banned == false"
  }
  step "author" {
    connector = "db"
    query     = "SELECT name, banned FROM users WHERE id = :id"
    params    = { id = "input.user_id" }
  }
  to {
    connector = "ws"
    operation = "broadcast"
  }
}
