{
  "connector": {
    "ws": {
      "type": "websocket",
      "port": 3001
    }
  }
}
