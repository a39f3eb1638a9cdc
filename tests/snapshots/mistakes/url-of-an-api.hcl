connector "api" {
  type = "http"
  url  = "https://api.example.com"
}
