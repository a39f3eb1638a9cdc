connector "api" {
  type     = "http"
  base_url = "api.example.com"
}
