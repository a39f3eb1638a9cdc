connector "ws" {
  type          = "websocket"
  port          = 3001
  ping_interval = "30sec"
}
