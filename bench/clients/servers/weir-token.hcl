# A server that asks for a token.
connector "ws" {
  type = "websocket"
  host = "127.0.0.1"
  port = env("BENCH_PORT")

  auth {
    jwt {
      secret = "nobody has a token with this secret"
    }
  }
}

flow "say" {
  from {
    connector = "ws"
    operation = "say"
  }
  to {
    connector = "ws"
    operation = "broadcast"
  }
}
