/// Blueprints of the echo service (`Services/echo.py`), three hops deep.
enum Blueprints {
    static func chain(_ name: String = "base") -> String {
        """
        name: \(name)
        services:
          - name: front
            command: [/usr/bin/python3, \(Product.services)/echo.py]
            expose: true
            ports: ["8080"]
            env: { NEXT_URL: "${services.middle.url}" }
          - name: middle
            command: [/usr/bin/python3, \(Product.services)/echo.py]
            ports: ["8080"]
            env: { NEXT_URL: "${services.back.url}" }
          - name: back
            command: [/usr/bin/python3, \(Product.services)/echo.py]
            ports: ["8080"]
        """
    }

    static func change(_ service: String, _ name: String = "feat", version: String = "v2") -> String {
        """
        name: \(name)
        services:
          - name: \(service)
            env: { VERSION: \(version) }
        """
    }

    static func single(_ command: String, name: String = "solo", more: String = "") -> String {
        """
        name: \(name)
        services:
          - name: api
            command: \(command)
            ports: ["8080"]
        \(more)
        """
    }
}
