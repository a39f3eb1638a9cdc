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
  }
  accept {
    step "author" {
      connector = "db"
      query     = "SELECT banned FROM users WHERE id = :id"
      params    = { id = "input.user_id" }
    }
    when = "step.author.banned != true"
  }
  step "author" {
    connector = "db"
    query     = "SELECT name FROM users WHERE id = :id"
    params    = { id = "input.user_id" }
  }
  response {
    author = "step.author.name"
  }
}
