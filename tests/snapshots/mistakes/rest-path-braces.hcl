connector "ws" {
  type = "websocket"
  port = 3001
}

connector "api" {
  type = "rest"
  port = 3002
}

flow "notify" {
  from {
    connector = "api"
    operation = "POST /rooms/{room}/notify"
  }
  to {
    connector = "ws"
    operation = "send_to_room"
    target    = "input.room"
  }
}
