connector "ws" {
  type = "websocket" -- for browsers
  port = 3001
}
