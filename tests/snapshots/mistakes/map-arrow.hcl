connector "ws" {
  type = "websocket"
  port = 3001
}

flow "say" {
  from {
    connector = "ws"
    operation = "message"
  }
  transform {
    names = "input.users.map(user => user.name)"
  }
  to {
    connector = "ws"
    operation = "broadcast"
  }
}
