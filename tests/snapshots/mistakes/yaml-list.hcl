connector "ws" {
  type    = "websocket"
  port    = 3001
  origins =
    - "https://example.com"
    - "https://example.org"
}
