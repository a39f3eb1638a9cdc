connector "ws" {
  type             = "websocket"
  port             = 3001
  max_message_size = "1mb"
}
