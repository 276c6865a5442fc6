import Testing

@testable import Blueprints

@Suite struct DependencyTests {
    private func blueprint(_ services: String) -> Run { Run("name: x\nservices:\n" + services) }

    @Test func listsDeclaredReferencedAndInferredDependencies() throws {
        let run = blueprint(
            """
              api:
                image: null
                command: [./api]
                dependsOn: [{service: mail, condition: started}, queue]
                env:
                  DB: "postgres://app@${services.db.address}/app"
                  MAIL: "${services.mail.url}"
                  CACHE: "redis://cache:6379"
              db: {command: [db], ports: [{name: tcp, containerPort: 5432}]}
              mail: {command: [mail]}
              cache: {command: [cache]}
              queue: {command: [queue]}
            """)
        #expect(run.found == ["literal_address@10:14"])
        #expect(
            run.spec?.service("api")?.dependsOn == [
                DependencySpec(service: "cache", origin: .inferred), DependencySpec(service: "db", origin: .reference),
                DependencySpec(service: "mail", condition: .started), DependencySpec(service: "queue"),
            ])
    }

    @Test func namesADeclaredCycleInFull() throws {
        let run = blueprint(
            """
              c: {command: [c], dependsOn: [a]}
              a: {command: [a], dependsOn: [b]}
              b: {command: [b], dependsOn: [{service: c, condition: started}]}
              d: {command: [d], dependsOn: [a]}
            """)
        #expect(run.found == ["dependency_cycle@3:33"])
        let diagnostic = try #require(run.diagnostics.first)
        #expect(diagnostic.message.contains("a → b → c → a"))
        #expect(try #require(diagnostic.hint).contains("`condition: started` does not help"))
    }

    @Test func reportsEachOfSeveralCycles() {
        let run = blueprint(
            """
              a: {command: [a], dependsOn: [b]}
              b: {command: [b], dependsOn: [a]}
              c: {command: [c], dependsOn: [d]}
              d: {command: [d], dependsOn: [c]}
            """)
        #expect(run.diagnostics.map(\.code) == ["dependency_cycle", "dependency_cycle"])
    }

    @Test func letsGoOfReferencesThatWouldCloseACycle() throws {
        let run = blueprint(
            """
              a: {command: [a], ports: [1], env: {B: "${services.b.url}"}}
              b: {command: [b], ports: [1], env: {A: "${services.a.url}"}}
            """)
        #expect(run.found == ["reference_cycle@4:42"])
        #expect(run.spec?.service("a")?.dependsOn == [DependencySpec(service: "b", origin: .reference)])
        #expect(run.spec?.service("b")?.dependsOn == [])
    }

    @Test func prefersWhatIsDeclaredOverReferences() throws {
        let run = blueprint(
            """
              a: {command: [a], ports: [1], env: {B: "${services.b.url}"}}
              b: {command: [b], ports: [1], dependsOn: [a]}
            """)
        #expect(run.found == ["reference_cycle@3:42"])
        #expect(run.spec?.service("b")?.dependsOn == [DependencySpec(service: "a")])
    }

    /// What is kept has no cycle, keeps everything that is declared, and does not depend on the order of the edges.
    @Test func ordersRandomGraphs() {
        var random = SeededRandom(state: 11)
        for round in 0..<300 {
            let count = Int.random(in: 2...12, using: &random)
            var edges: Set<DependencyOrder.Edge> = []
            var pairs: Set<[Int]> = []
            for _ in 0..<Int.random(in: 1...30, using: &random) {
                let from = Int.random(in: 0..<count, using: &random)
                let to = Int.random(in: 0..<count, using: &random)
                guard from != to, pairs.insert([from, to]).inserted else { continue }
                // Declared edges go down only, so they form no cycle among themselves.
                let origin: DependencySpec.Origin = from > to ? .declared : .reference
                edges.insert(.init(from: "s\(from)", to: "s\(to)", origin: origin))
            }
            let order = DependencyOrder(Array(edges).shuffled(using: &random))
            #expect(order.dropped == DependencyOrder(Array(edges).shuffled(using: &random)).dropped, "round \(round)")
            #expect(order.dropped.allSatisfy { $0.origin == .reference })
            #expect(DependencyOrder(Array(edges.subtracting(order.dropped))).cycles.isEmpty)
        }
    }

    @Test(arguments: [
        ("db:5432", true), ("postgres://app:pw@db/orders", true), ("postgres://app@db", true), ("@db/", true),
        ("//db:5432", true), ("redis://db", true), ("http://db/path", true), ("a:1,db:5432", true),
        ("db:5432/orders", true),
        ("host=db:5432 user=x", true), ("\"db:5432\"", true), ("http://db?x=1", true), ("x@db:5432", true),
        ("db", false), ("my-db:5432", false), ("db.example.com:5432", false), ("db:latest", false), ("db:5", false),
        ("dbx:5432", false), ("http://example.com/db:5432", false), ("someone@db", false),
        ("http://example.com/db", false),
        ("http://db.local/", false), ("db:5432x", false), ("db:123456", false), ("db-2:5432", false), ("//dbs/", false),
    ])
    func tellsAddressesFromWords(text: String, isAddress: Bool) {
        #expect(LiteralAddresses.services(in: text, among: ["db"]).contains("db") == isAddress)
    }

    @Test(arguments: [
        ("BROKERS", "kafka-1:9092,kafka-2:9092", ["kafka-1", "kafka-2"]),
        ("BROKERS", "kafka-1:9092, kafka-2:9092", ["kafka-1", "kafka-2"]),
        ("MONGO", "mongodb://m1:27017,m2,m3:27017/x?replicaSet=r", ["m1", "m2", "m3"]),
        ("MONGO", "mongodb://u:p@m1,other,m3/x", ["m1", "m3"]),
        ("X", "jdbc:postgresql://db:5432/x", ["db"]), ("X", "jdbc:mysql://m1:3306,db:3306/x", ["db", "m1"]),
        ("X", "amqp://u:p@mq", ["mq"]), ("X", "amqp://u:p@mq/vhost", ["mq"]),
        ("X", "user:pw@tcp(db:3306)/x", ["db"]),
        ("X", "host=db port=5432 user=m1", ["db"]), ("X", "user=x host=db", ["db"]), ("X", "hosts='db'", []),
        ("X", "Server=db;Database=m1", ["db"]), ("X", "Server=tcp:db,1433;User=mq", ["db"]),
        ("X", "database=db", []), ("X", "a,db,c", []), ("X", "mq", []),
        ("DB_HOST", "db", ["db"]), ("PGHOST", "db", ["db"]), ("dbHost", "db", ["db"]), ("HOST_1", "db", ["db"]),
        ("discovery.seed_hosts", "m1,m2", ["m1", "m2"]), ("CACHE_ADDR", "mq", ["mq"]), ("REDIS_SERVER", "mq", ["mq"]),
        ("API_URL", "db", ["db"]), ("API_ENDPOINTS", "db; mq", ["db", "mq"]), ("SERVER_ADDRESSES", "db", ["db"]),
        ("BOOTSTRAP_BROKERS", "db", ["db"]), ("DB_NAME", "db", []), ("DB_USER", "db", []), ("GHOSTS", "db!", []),
        ("DB_HOST", "db.local", []), ("DB_HOST", "my-db", []), ("HOSTING", "db", []), ("CURLS", "db", []),
        ("DB_HOST", "the db is mq.", ["db"]), ("DB_HOST", "", []),
    ])
    func knowsHowAddressesAreWritten(key: String, text: String, expected: [String]) {
        let names: Set = ["db", "mq", "m1", "m2", "m3", "kafka-1", "kafka-2"]
        let found = LiteralAddresses.services(in: text, key: key, among: names).sorted()
        #expect(found == expected, "\(key)=\(text)")
    }

    @Test func saysWhereAnAddressStands() {
        let found = LiteralAddresses.occurrences(in: "é//db:5432,mq", among: ["db", "mq"])
        #expect(
            found == [
                .init(service: "db", bytes: 4..<6, port: 5432, portBytes: 7..<11), .init(service: "mq", bytes: 12..<14),
            ])
    }

    @Test func aCycleOfLiteralAddressesIsReachedAllTheSame() throws {
        let run = blueprint(
            """
              a: {image: a:1, ports: ["80"], env: {OTHER: http://b:80}}
              b: {image: b:1, ports: ["80"], env: {OTHER: http://a:80}}
            """)
        #expect(run.diagnostics.map(\.code).contains("reference_cycle"))
        let document = try #require(run.document)
        let spec = try #require(Blueprint.check(document, unbuilt: .warning).spec)
        let dependencies = spec.services.map { $0.dependsOn.map(\.service) }
        #expect(dependencies == [["b"], []])
        let reached = spec.services.map(\.literalServices)
        #expect(reached == [["b"], ["a"]])
    }

    @Test(arguments: [
        ("plain", [Template.Segment.literal("plain")]),
        ("${services.a.host}", [.reference(.service(name: "a", attribute: .host))]),
        (
            "x${env.id}y${env.overlayId}",
            [
                .literal("x"), .reference(.environmentID), .literal("y"), .reference(.overlayID),
            ]
        ),
        ("$${services.a.host}", [.literal("${services.a.host}")]),
        ("$HOME ${HOME} $(date) $", [.literal("$HOME ${HOME} $(date) $")]),
        ("${${secrets.a}", [.literal("${${secrets.a}")]),
        ("a${b${secrets.c}", [.literal("a${b${secrets.c}")]),
        ("$$${secrets.c}", [.literal("$${secrets.c}")]),
        ("", []),
    ])
    func parsesTemplates(text: String, segments: [Template.Segment]) {
        #expect(Template(parsing: text).segments == segments)
    }
}
