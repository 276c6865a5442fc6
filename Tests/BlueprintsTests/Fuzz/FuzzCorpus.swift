/// What fuzzed texts are made of.
enum FuzzCorpus {
    static let names = ["a", "db", "api", "orders-db", "cache", "orders", "web_1", "A", "a--b", "cart", "x9"]
    static let words = [
        "env", "x-a", "PORT", "DATABASE_URL", "services", "name", "command", "depends_on", "image", "build", "",
        "8080", "80:80", "5432/tcp", "é", "a b", "${HOME}", "$${x}", "null", "remove", "<<", "# x", "a: b", "1Gi", "sh",
    ]
    static let pieces = [
        "{", "}", "[", "]", ": ", "- ", "*a", "&a ", "\t", "\n", "\n  ", "#", " # x\n", "|\n", ">-\n  ", "null",
        "!!str ",
        "!reset ", "? ", "---\n", "...\n", "${", "}", "${A:-", "remove: true", "'", "\"", "\\", "%TAG ! x\n", "\r\n",
        "\u{2028}",
        "\u{FEFF}", "80-90:80-90/udp", "<<: *a", "services:\n", "  - ", "\u{0}",
    ]

    static let commented = """
        # The shop.
        # yaml-language-server: $schema=blueprint.schema.json

        services: # all of them
          # the front
          web:
              ports:
              - "8080"   # http
              - {name: admin, containerPort: 9090} # for us

              command: [./web,
                --flag, # a flag
                x]
              # at the end of web

          db:
            env:
              A: >-
                folded
                text # no comment

              B: 'single
                quoted # no comment
                text'
              C: |+
                kept

            command: ["postgres"]
          # after db
        name: shop   # its name
        # the end
        """

    static let compose = """
        version: "3.8"
        name: my_shop
        x-common: &common
          restart: unless-stopped
          environment: &env
            LOG: ${LOG_LEVEL:-info}
        services:
          web_app:
            <<: *common
            build:
              context: ./web
              args: [A=b]
            command: npm run "start it"
            ports: ["80:8080", "9000-9002:9000-9002", "53:53/udp", {target: 443, published: "8443", protocol: tcp}]
            environment:
              <<: *env
              DATABASE_URL: postgres://u:${DB_PASSWORD}@the_db:5432/shop
              CACHE_HOST: cache
              CACHE_PORT: 6379
            env_file: [.env, {path: other.env, required: false}]
            depends_on:
              the_db: {condition: service_healthy}
              cache: {condition: service_started, required: false}
            volumes: ["./web:/app:ro", "/app/node_modules", "web_data:/data", {type: tmpfs, target: /tmp}]
            healthcheck:
              test: curl -f http://localhost:8080/health || exit 1
              interval: 1m30s
              retries: 3
              start_period: 10s
            deploy:
              replicas: 2
              resources: {limits: {cpus: "0.5", memory: 1.5G}}
            secrets: [db_password]
            networks: {back: {aliases: [front]}}
          the_db:
            image: postgres:16
            container_name: shop_db
            environment:
              - POSTGRES_PASSWORD_FILE=/run/secrets/db_password
              - POSTGRES_USER
            volumes: [db_data:/var/lib/postgresql/data]
            stop_grace_period: 1m
            user: "999:999"
          cache:
            image: redis
            expose: [6379]
            profiles: [full]
            links: ["the_db:database"]
        volumes: {db_data: , web_data: {external: true}}
        secrets: {db_password: {file: ./db/password.txt}}
        networks: {back: {}}
        """
}
