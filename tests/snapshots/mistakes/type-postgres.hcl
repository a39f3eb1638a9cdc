connector "db" {
  type = "postgres"
  url  = "postgres://localhost/chat"
}
