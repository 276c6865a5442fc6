@testable import Blueprints
import Foundation
import Testing

@Suite struct CompositionTests {
    static let parentText = """
        name: shop
        description: the whole shop
        labels: {team: core}
        services:
          orders:
            command: [./orders]
            args: [--verbose, --fast]
            ports: ["8080", {name: admin, containerPort: 9090}]
            env: {LOG: info, DB: "${services.db.address}", OLD: "1"}
            volumes: [{name: data, mountPath: /data}, {name: tmp, mountPath: /tmp}]
            probes: {readiness: {http: {path: /healthz}, periodSeconds: 5}}
          db:
            command: [./db]
            ports: [{name: tcp, containerPort: 5432}]
          mail:
            command: [./mail]
        """

    private func parent() throws -> BlueprintDocument {
        let run = Run(Self.parentText, file: "parent.yaml", folder: "/parent")
        #expect(run.found == [])
        return try #require(run.checked?.composed)
    }

    private func overlay(_ text: String, over parent: BlueprintDocument? = nil) throws -> Run {
        Run(text, over: try parent ?? self.parent(), mode: .overlay, file: "overlay.yaml", folder: "/overlay")
    }

    @Test func mergesFieldsMapsAndNamedLists() throws {
        let run = try overlay(
            """
            name: feat
            services:
              - name: orders
                args: [--slow]
                ports: ["18080:8081"]
                env: {LOG: debug, NEW: "2", OLD: null}
                volumes: [{name: tmp, remove: true}, {name: cache, mountPath: /cache}]
                probes: {readiness: {periodSeconds: 1}}
            """)
        let spec = try #require(run.spec, "\(run.found)")
        let orders = try #require(spec.service("orders"))
        #expect(orders.command == ["./orders"])
        #expect(orders.args == ["--slow"])
        #expect(
            orders.ports == [
                PortSpec(name: "http", containerPort: 8081, hostPort: 18080),
                PortSpec(name: "admin", containerPort: 9090),
            ])
        #expect(orders.env == ["LOG": "debug", "NEW": "2", "DB": "${services.db.address}"])
        #expect(orders.volumes.map(\.name) == ["cache", "data"])
        #expect(orders.probes.readiness == ProbeSpec(.http(path: "/healthz", port: nil), periodSeconds: 1))
        #expect(spec.services.map(\.name) == ["db", "mail", "orders"])
    }

    @Test func onlyServicesComeFromTheParent() throws {
        let spec = try #require(try overlay("name: feat").spec)
        #expect(spec.name == "feat")
        #expect(spec.description == nil)
        #expect(spec.labels == [:])
        #expect(spec.routing.mode == .overlay)
        #expect(spec.routing.overlayId == "feat")
        #expect(spec.services.count == 3)
        let unnamed = try overlay("description: x")
        #expect(unnamed.found == ["missing_field@1:1"])
    }

    @Test func removesServices() throws {
        for text in ["[{name: mail, remove: true}]", "{mail: {remove: true}}", "{mail: null}"] {
            let run = try overlay("name: feat\nservices: \(text)")
            #expect(run.checked?.removedServices == ["mail"])
            #expect(run.spec?.services.map(\.name) == ["db", "orders"])
        }
    }

    @Test func warnsWhereARemovedServiceIsNeeded() throws {
        let run = try overlay("name: feat\nservices: [{name: db, remove: true}]")
        #expect(run.found == ["removed_service@2:12"])
        // The service is as it was in the parent, so nothing of it may differ.
        #expect(run.spec?.service("orders")?.dependsOn == [DependencySpec(service: "db", origin: .reference)])
    }

    @Test func servicesThatAnOverlayDoesNotTouchStayEqual() throws {
        let base = Run(Self.parentText, file: "parent.yaml", folder: "/parent")
        let run = try overlay("name: feat\nservices: {mail: null, db: {env: {A: 1}}, new: {command: [n]}}")
        #expect(run.spec?.service("orders") != nil)
        #expect(run.spec?.service("orders") == base.spec?.service("orders"))
        #expect(run.spec?.service("db") != base.spec?.service("db"))
        // Saying the same in another way changes nothing.
        let same = try overlay(
            """
            name: feat
            services:
              orders:
                ports: [{name: admin, containerPort: "9090"}, "8080"]
                env: {LOG: "info"}
                probes: {readiness: {periodSeconds: 5.0}}
                stopSignal: 15
            """)
        #expect(same.spec?.service("orders") == base.spec?.service("orders"))
    }

    @Test(arguments: [
        ("{mial: {remove: true}}", "nothing_to_remove@2:12"),
        ("{orders: {volumes: [{name: dat, remove: true}]}}", "nothing_to_remove@2:38"),
        ("{orders: {volumes: [{remove: true}]}}", "missing_field@2:31"),
        ("{mail: {remove: true, command: [x]}}", "unused_field@2:33"),
        ("{mail: {remove: yes}}", "wrong_type@2:27"),
        ("{mail: {image: nginx}}", "one_of@2:19"),
    ])
    func reportsWhatCannotBeComposed(services: String, expected: String) throws {
        let found = try overlay("name: feat\nservices: \(services)").found
        #expect(found.contains(expected), "\(found)")
    }

    @Test func suggestsWhatToRemove() throws {
        let run = try overlay("name: feat\nservices: {mial: {remove: true}}")
        #expect(run.diagnostic("nothing_to_remove")?.hint == "did you mean `mail`?")
    }

    @Test func swapsAServiceInAChainOfOverlays() throws {
        let first = try overlay("name: one\nservices: {mail: null}")
        let second = try overlay(
            "name: two\nservices: {mail: {command: [./new]}, orders: {env: {LOG: trace}}}",
            over: first.checked?.composed)
        let spec = try #require(second.spec)
        #expect(spec.service("mail")?.command == ["./new"])
        #expect(spec.service("mail")?.workdir == "/overlay")
        #expect(spec.service("orders")?.workdir == "/parent")
    }

    @Test func pathsAreRelativeToTheFileThatWroteThem() throws {
        let base = Run(
            """
            name: p
            services:
              a: {command: [./a], workdir: bin, init: {type: sql, script: sql/a.sql}}
              b: {command: [./b], secrets: [{name: s, envKey: S, value: {fromFile: ./s.txt}}]}
            """, folder: "/parent")
        let run = try overlay(
            "name: o\nservices: {a: {command: [./c]}, b: {command: [./d], workdir: ../e}}", over: base.checked?.composed
        )
        let spec = try #require(run.spec)
        #expect(spec.service("a")?.workdir == "/parent/bin")
        #expect(spec.service("b")?.workdir == "/e")
        #expect(
            Blueprint.referencedInputs(spec) == [
                .initScript(service: "a", path: "/parent/sql/a.sql"),
                .secretFile(service: "b", secret: "s", path: "/parent/s.txt"),
            ])
    }

    @Test func withoutItsParentAnOverlayIsCheckedForItself() {
        let run = Run(
            """
            name: feat
            services:
              orders:
                env: {A: "${services.db.address}", B: "${secrets.token}"}
                dependsOn: [mail]
                probes: {readiness: {periodSeconds: 2}}
                volumes: [{name: data, size: 1Gi}]
              old: {remove: true}
            """, mode: .overlay)
        #expect(run.spec != nil, "\(run.found)")
        let wrong = Run("name: feat\nrouting: {mode: overlay}\nservices: {orders: {comand: [x]}}")
        #expect(wrong.found == ["unknown_key@3:21"])
    }

    @Test func doesNotRepeatTheParentsWarnings() throws {
        let base = Run(
            "name: p\nservices: {a: {command: [a], env: {B: 'b:8080'}}, b: {command: [b]}}", file: "parent.yaml")
        #expect(base.diagnostics.map(\.code) == ["literal_address"])
        #expect(try overlay("name: o", over: base.checked?.composed).found == [])
    }

    @Test func explainsWhereValuesComeFrom() throws {
        let first = try overlay("name: one\nservices:\n  orders:\n    env: {LOG: debug}")
        let second = Run(
            "name: two\nservices: {orders: {env: {LOG: trace, A.B: x}}}", over: first.checked?.composed, mode: .overlay,
            file: "two.yaml")
        let document = try #require(second.checked?.composed)
        let log = try #require(document.explain("services.orders.env.LOG").first)
        #expect([log.value, log.file, "\(log.line):\(log.column)"] == ["trace", "two.yaml", "2:32"])
        #expect(log.overridden.map(\.value) == ["debug", "info"])
        #expect(log.overridden.map(\.file) == ["overlay.yaml", "parent.yaml"])
        #expect(log.overridden.map(\.line) == [4, 9])
        #expect(document.explain("services.orders.env.A.B").map(\.value) == ["x"])
        #expect(
            document.explain("services.orders.ports").map(\.path).contains("services.orders.ports.admin.containerPort"))
        #expect(document.explain("services.orders.args").map(\.value) == ["[--verbose, --fast]"])
        #expect(document.explain("services.nothing") == [])
        #expect(document.explain("").count > 10)
    }

    @Test func doesNotShowLiteralSecrets() throws {
        let text = "name: x\nservices: {a: {command: [a], secrets: [{name: s, envKey: S, value: hunter2}]}}"
        let first = try #require(Run(text).document)
        let second = Run(text.replacing("hunter2", with: "hunter3"), over: first, mode: .overlay)
        for path in ["", "services.a", "services.a.secrets", "services.a.secrets.s", "services.a.secrets.s.value"] {
            let explanations = try #require(second.checked).composed.explain(path)
            #expect(!explanations.isEmpty)
            #expect(!"\(explanations)".contains("hunter"), "\(path)")
        }
    }

    @Test(arguments: [
        ("init: {type: sql, script: a.sql, password: hunter2}", "services.a.init.password"),
        ("init: [{type: sql, script: a.sql, password: hunter2}]", "services.a.init.0.password"),
    ])
    func doesNotShowLiteralPasswords(field: String, path: String) throws {
        let text = "name: x\nservices: {a: {command: [a], env: {password: shown}, \(field)}}"
        let first = try #require(Run(text).document)
        let second = Run(text.replacing("hunter2", with: "hunter3"), over: first, mode: .overlay)
        let composed = try #require(second.checked).composed
        for path in ["", "services.a", "services.a.init", path] {
            let explanations = composed.explain(path)
            #expect(!explanations.isEmpty)
            #expect("\(explanations)".contains("(secret)"), "\(path)")
            #expect(!"\(explanations)".contains("hunter"), "\(path)")
        }
        #expect(composed.explain("services.a.env.password").map(\.value) == ["shown"])
        let referring = try #require(Run(text.replacing("hunter2", with: "\"${secrets.s}\"")).document)
        #expect(referring.explain(path).map(\.value) == ["${secrets.s}"])
    }

    @Test func composingOntoNothingChangesNothing() throws {
        var random = SeededRandom(state: 7)
        for _ in 0..<100 {
            let value = try #require(Run(Self.layer(&random)).document).value
            let nothing = LocatedValue(.mapping([]), at: value.location)
            let composed = Composition.stripped(Composition.compose(value, over: nothing))
            #expect(composed.withoutHistory == Composition.stripped(value).withoutHistory)
        }
    }

    /// A random layer over few names and values, so that layers meet often.
    private static func layer(_ random: inout SeededRandom) -> String {
        func pick(_ choices: [String]) -> String { choices.randomElement(using: &random) ?? "" }
        func named() -> String {
            let items = ["a", "b", "c"].shuffled(using: &random).prefix(Int.random(in: 0...3, using: &random))
            let fields = ["remove: true", "containerPort: 1", "containerPort: 2, hostPort: null", "hostPort: 5"]
            return "[" + items.map { "{name: \($0), \(pick(fields))}" }.joined(separator: ", ") + "]"
        }
        func service() -> String {
            let fields = [
                "command: [\(pick(["x", "y"]))]", "env: \(pick(["null", "{A: 1}", "{A: null, B: 2}", "5", "[A]"]))",
                "ports: \(pick([named(), named(), "null", "[8080]"]))", "volumes: \(named())",
                "probes: {readiness: \(pick(["null", "{log: {pattern: a}}", "{periodSeconds: 2}"]))}",
            ].shuffled(using: &random).prefix(Int.random(in: 0...5, using: &random))
            return pick([
                "{\(fields.joined(separator: ", "))}", "{\(fields.joined(separator: ", "))}", "null", "{remove: true}",
            ])
        }
        let names = ["x", "y", "z"].shuffled(using: &random).prefix(Int.random(in: 0...3, using: &random))
        let services = names.map { "  \($0): \(service())" }.joined(separator: "\n")
        return "name: n\nlabels: \(pick(["{a: 1}", "{b: 2, a: null}", "null"]))\nservices:"
            + (services.isEmpty ? " {}\n" : "\n\(services)\n")
    }
}
