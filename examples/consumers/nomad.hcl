# A Nomad job. Its task restarts after each rotation, at a random time within splay.
job "scanner" {
  type = "service"

  group "scanner" {
    task "scan" {
      driver = "docker"

      config {
        image = "registry.example.com/scanner:1"
      }

      vault {
        role = "scanner"
      }

      template {
        destination          = "secrets/paistrike.env"
        env                  = true
        change_mode          = "restart"
        splay                = "1m"
        error_on_missing_key = true
        data                 = <<EOF
{{ with secret "secret/data/ci/paistrike" -}}
PAISTRIKE_API_TOKEN={{ .Data.data.token }}
{{ end -}}
EOF
      }
    }
  }
}
