/// Ports that programs are known to listen on, where nobody says.
enum WellKnownPorts {
    struct Port: Equatable {
        var number: Int
        var transport: PortProtocol
    }

    /// What speaks something else than HTTP on its port, as IANA or the program's own documentation has it.
    private static let notHTTP: Set<Int> = [
        21, 22, 25, 53, 110, 143, 389, 465, 587, 636, 993, 995, 1025, 1433, 1521, 1883, 2181, 2379, 3306, 3389, 4222,
        5432, 5433, 5671, 5672, 6379, 6380, 7000, 7687, 8883, 9042, 9092, 9093, 9094, 9160, 9300, 11211, 25565, 26257,
        26379, 27017, 27018, 28015, 33060, 50000, 61613, 61616,
    ]

    static func transport(_ number: Int) -> PortProtocol { notHTTP.contains(number) ? .tcp : .http }

    private static let images: [String: Int] = [
        "postgres": 5432, "postgis": 5432, "timescaledb": 5432, "pgvector": 5432, "mysql": 3306, "mariadb": 3306,
        "mysql-server": 3306, "percona": 3306, "redis": 6379, "valkey": 6379, "keydb": 6379, "redismod": 6379,
        "redis-stack": 6379, "mongo": 27017, "mongodb": 27017, "rabbitmq": 5672, "memcached": 11211, "nats": 4222,
        "kafka": 9092, "cp-kafka": 9092, "zookeeper": 2181, "cassandra": 9042, "azure-sql-edge": 1433, "server": 1433,
        "etcd": 2379, "cockroach": 26257, "elasticsearch": 9200, "opensearch": 9200, "nginx": 80, "httpd": 80,
        "traefik": 80, "caddy": 80, "wordpress": 80, "nextcloud": 80, "minio": 9000, "vault": 8200, "consul": 8500,
        "influxdb": 8086, "grafana": 3000, "prometheus": 9090, "kibana": 5601, "mailhog": 1025, "mailpit": 1025,
    ]

    /// The port of an image that says none, by its name alone.
    static func port(ofImage image: String) -> Port? {
        let name = imageName(image)
        if name == "server", !image.contains("mssql") { return nil }
        return images[name].map { Port(number: $0, transport: transport($0)) }
    }

    /// `mariadb` of `docker.io/library/mariadb:10@sha256:…`.
    static func imageName(_ image: String) -> String {
        let last = image.split(separator: "@").first?.split(separator: "/").last ?? ""
        return String(last.split(separator: ":").first ?? "")
    }

    /// What a URL's scheme means where it names no port.
    static func port(ofScheme scheme: String) -> Int? {
        let schemes = [
            "http": 80, "https": 443, "ws": 80, "wss": 443, "postgres": 5432, "postgresql": 5432, "mysql": 3306,
            "mariadb": 3306, "redis": 6379, "mongodb": 27017, "amqp": 5672, "nats": 4222, "memcached": 11211,
        ]
        return schemes[scheme.lowercased()]
    }
}
