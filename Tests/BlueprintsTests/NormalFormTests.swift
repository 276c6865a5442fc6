import Foundation
import Testing

@testable import Blueprints

@Suite struct NormalFormTests {
    /// Everything that is built, in one Blueprint.
    static let everything = """
        name: shop
        description: A shop
        labels: {team: core, costCenter: 42}
        runtime: process
        repair: report
        autoShutdownEnabled: false
        routing:
          mode: baseline
          headerName: X-Shop-Env
          propagateHeader: false
          onUnknownContext: baseline
          attribution: off
          carry: off
        services:
          - name: orders
            command: [./orders, serve]
            args: [--port-from-env, 5]
            build: [make, orders]
            workdir: ../orders
            user: app
            replicas: 1
            ports: ["8080", "19090:9090/grpc", {name: admin, containerPort: 7070, hostPort: 17070, protocol: http2}]
            env:
              DATABASE_URL: "postgres://app:${secrets.db-password}@${services.orders-db.address}/orders"
              ENV: "${env.id}/${env.overlayId}"
            secrets:
              - {name: z-token, envKey: TOKEN, value: {fromEnv: ORDERS_TOKEN}}
              - {name: api-key, envKey: API_KEY, value: {fromFile: keys/api}}
              - {name: pin, envKey: PIN, value: 1234}
            expose: true
            dependsOn: [{service: cart, condition: started}]
            probes:
              startup: {http: {path: /started, port: admin}, failureThreshold: 5}
              readiness: {http: {path: /healthz}, periodSeconds: 0.5, timeoutSeconds: 3}
              liveness: {exec: {command: [./check, --fast]}}
            init:
              - {type: command, command: [./orders, seed]}
              - {type: http, request: {method: PUT, path: /setup, port: 7070, headers: {x-a: b}, body: "{}"}}
            restart: onFailure
            stopSignal: int
            stopGraceSeconds: 2.5
            data: inherit
            activation: eager
          - name: orders-db
            command: [postgres]
            ports: [{containerPort: 5432, protocol: tcp}]
            secrets: [{name: db-password, envKey: POSTGRES_PASSWORD, value: auto-generated}]
            volumes:
              - {name: wal, mountPath: /wal, type: ephemeral}
              - {name: data, mountPath: /var/lib/postgresql/data, size: 1024Mi}
              - {name: conf, mountPath: conf, type: host}
            init: {type: sql, script: sql/orders.sql, engine: postgres, user: app, password: "${secrets.db-password}", database: orders}
            stopSignal: 2
          - name: cart
            command: [redis-server]
            ports: [{name: tcp, containerPort: 6379}]
            probes: {readiness: {tcp: {}}, liveness: {log: {pattern: "Ready to accept .*"}}}
            restart: never
            activation: auto
        """

    @Test func normalisesEverythingThatIsBuilt() throws {
        let run = Run(Self.everything, mode: .baseline, folder: "/projects/shop")
        #expect(run.found == ["size_not_enforced@50:65"])
        let spec = try #require(run.spec)
        #expect(spec.services.map(\.name) == ["cart", "orders", "orders-db"])
        #expect(spec.labels == ["team": "core", "costCenter": "42"])
        #expect(
            spec.routing
                == RoutingSpec(
                    mode: .baseline, headerName: "x-shop-env", propagateHeader: false, onUnknownContext: .baseline))
        #expect(spec.runtime == .process)
        #expect(spec.repair == .report)
        var orders = try #require(spec.service("orders"))
        #expect(orders.activation == .eager)
        orders.activation = .auto
        #expect(
            orders
                == ServiceSpec(
                    name: "orders", command: ["./orders", "serve"], args: ["--port-from-env", "5"],
                    workdir: "/projects/orders",
                    build: ["make", "orders"], user: "app",
                    ports: [
                        PortSpec(name: "http", containerPort: 8080),
                        PortSpec(name: "grpc", containerPort: 9090, transport: .grpc, hostPort: 19090),
                        PortSpec(name: "admin", containerPort: 7070, transport: .http2, hostPort: 17070),
                    ],
                    env: [
                        "DATABASE_URL": "postgres://app:${secrets.db-password}@${services.orders-db.address}/orders",
                        "ENV": "${env.id}/${env.overlayId}",
                    ],
                    secrets: [
                        SecretSpec(name: "api-key", envKey: "API_KEY", source: .fromFile("/projects/shop/keys/api")),
                        SecretSpec(name: "pin", envKey: "PIN", source: .literal("1234")),
                        SecretSpec(name: "z-token", envKey: "TOKEN", source: .fromEnv("ORDERS_TOKEN")),
                    ],
                    expose: true,
                    dependsOn: [
                        DependencySpec(service: "cart", condition: .started),
                        DependencySpec(service: "orders-db", origin: .reference),
                    ],
                    probes: ProbesSpec(
                        readiness: ProbeSpec(.http(path: "/healthz", port: nil), periodSeconds: 0.5, timeoutSeconds: 3),
                        liveness: ProbeSpec(.exec(command: ["./check", "--fast"])),
                        startup: ProbeSpec(.http(path: "/started", port: "admin"), failureThreshold: 5)),
                    initialisers: [
                        .command(["./orders", "seed"]),
                        .http(
                            HTTPInitSpec(
                                method: "PUT", path: "/setup", port: "admin", headers: ["x-a": "b"], body: "{}")),
                    ],
                    restart: .onFailure, stopSignal: "SIGINT", stopGraceSeconds: 2.5))
    }

    @Test func normalisesDataServices() throws {
        let spec = try #require(Run(Self.everything, mode: .baseline, folder: "/projects/shop").spec)
        let database = try #require(spec.service("orders-db"))
        #expect(
            database.volumes == [
                VolumeSpec(name: "conf", mountPath: "/projects/shop/conf", kind: .host),
                VolumeSpec(name: "data", mountPath: "/var/lib/postgresql/data", size: "1Gi"),
                VolumeSpec(name: "wal", mountPath: "/wal", kind: .ephemeral),
            ])
        #expect(database.ports == [PortSpec(name: "tcp", containerPort: 5432, transport: .tcp)])
        #expect(
            database.initialisers == [
                .sql(
                    SQLInitSpec(
                        script: "/projects/shop/sql/orders.sql", engine: .postgres, user: "app",
                        password: "${secrets.db-password}", database: "orders"))
            ])
        #expect(database.isTCPOnly)
        #expect(spec.service("cart")?.ports.first?.transport == .tcp)
        #expect(spec.service("cart")?.probes.readiness == ProbeSpec(.tcp(port: nil)))
        #expect(
            Blueprint.referencedInputs(spec) == [
                .secretFile(service: "orders", secret: "api-key", path: "/projects/shop/keys/api"),
                .secretVariable(service: "orders", secret: "z-token", variable: "ORDERS_TOKEN"),
                .initScript(service: "orders-db", path: "/projects/shop/sql/orders.sql"),
            ])
        #expect(try JSONDecoder().decode(BlueprintSpec.self, from: JSONEncoder().encode(spec)) == spec)
    }

    @Test func aMapAndAListMeanTheSame() throws {
        let list = Run("name: x\nservices: [{name: b, command: [b], ports: ['80']}, {name: a, command: [a]}]").spec
        let map = Run(
            "name: x\nservices:\n  a: {command: [a]}\n  b: {command: [b], ports: [{name: http, containerPort: 80}]}"
        ).spec
        #expect(list != nil)
        #expect(list == map)
    }

    @Test func namesPorts() {
        let spec = Run("name: x\nservices: {a: {command: [a], ports: [80, 81, '82/tcp', '83/tcp', {hostPort: 84}]}}")
            .spec
        #expect(spec?.services.first?.ports.map(\.name) == ["http", "port-81", "tcp", "port-83", "port-84"])
    }

    @Test(arguments: [
        ("500m", "500m"), ("0.5", "500m"), ("1000m", "1"), ("1024Mi", "1Gi"), ("1Gi", "1Gi"), ("1073741824", "1Gi"),
        ("1G", "1G"), ("1000M", "1G"), ("1e3", "1000"), ("1.5Gi", "1536Mi"), ("0", "0"),
    ])
    func quantitiesHaveOneForm(text: String, normal: String) {
        #expect(Quantity(text)?.normalForm == normal)
    }

    @Test(arguments: ["", "-1", "Gi", "1Gb", "1 Gi", "1e", "1e99", "9999999999999Pi", "nan", "0x10", ".5"])
    func refusesOtherQuantities(text: String) {
        #expect(Quantity(text) == nil)
    }

    @Test(arguments: [
        ("TERM", "SIGTERM"), ("sigterm", "SIGTERM"), ("15", "SIGTERM"), ("INT", "SIGINT"), ("2", "SIGINT"),
        ("SIGUSR1", "SIGUSR1"), ("STOP", nil), ("SIG", nil), ("99", nil), ("", nil),
    ])
    func normalisesSignals(text: String, name: String?) {
        #expect(ValueText.signal(text) == name)
    }

    @Test(arguments: [
        ("servces", "services"), ("sevrices", "services"), ("Services", "services"), ("depends-on", "dependsOn"),
    ])
    func findsTheNearestWord(word: String, nearest: String) {
        #expect(NearMiss.nearest(word, among: ["services", "secrets", "dependsOn"]) == nearest)
        #expect(NearMiss.nearest("zebra", among: ["services"]) == nil)
        #expect(NearMiss.distance(Array("ab".utf8), Array("ba".utf8)) == 1)
    }
}
