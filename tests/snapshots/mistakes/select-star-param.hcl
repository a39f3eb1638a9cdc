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
  step "author" {
    connector = "db"
    query     = "SELECT name FROM users WHERE id = $1"
    params    = ["input.user_id"]
  }
  response {
    author = "step.author.name"
  }
}
