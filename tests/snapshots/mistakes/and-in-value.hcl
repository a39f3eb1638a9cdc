constants {
  debug = true and false
}
