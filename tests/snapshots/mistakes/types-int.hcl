type "message" {
  count = int
  seen  = bool
}
