connector "ws" {
  type      = "websocket"
  port      = 3001
  max_connections = nil
}
