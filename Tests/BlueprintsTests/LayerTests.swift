import Testing

@testable import Blueprints

@Suite struct LayerTests {
    /// Registered layers by `name@revision`, and files by path.
    private struct Shelf {
        var texts: [String: String]

        func find(_ mention: LayerMention) -> LayerAnswer {
            switch mention {
            case .file(let path, _):
                guard let text = texts[path] else {
                    return .absent(code: "missing_file", message: "cannot read \(path)", hint: nil)
                }
                return .found(LayerText(bytes: Array(text.utf8)))
            case .registered(let name, let wanted):
                let all = texts.keys.filter { $0.hasPrefix(name + "@") }.compactMap {
                    Int($0.dropFirst(name.count + 1))
                }
                guard let revision = wanted ?? all.max(), let text = texts["\(name)@\(revision)"] else {
                    return .absent(
                        code: "unknown_layer", message: "there is no layer `\(mention)`", hint: "there is: org")
                }
                return .found(
                    LayerText(
                        bytes: Array(text.utf8), file: "\(name).yaml", folder: "/layers", revision: revision,
                        files: ["/layers/\(name).sql": "-- \(name)"]))
            }
        }
    }

    private func compose(
        _ text: String, _ layers: [String: String], as layer: String? = nil, limits: LayerLimits = LayerLimits()
    ) throws -> (stack: LayerStack, checked: CheckedBlueprint) {
        let read = Blueprint.read(Array(text.utf8), file: "dir/shop.yaml", folder: "/projects/dir")
        let document = try #require(read.document, "\(read.diagnostics)")
        let stack = Blueprint.assemble(document, as: layer, limits: limits, find: Shelf(texts: layers).find)
        return (stack, Blueprint.check(stack, isLayer: layer != nil))
    }

    private func problems(_ text: String, _ layers: [String: String], as layer: String? = nil) throws -> [String] {
        try compose(text, layers, as: layer).checked.diagnostics.map { "\($0.code)@\($0.file):\($0.line):\($0.column)" }
    }

    private static let org = """
        name: org
        description: What everybody has
        labels: {company: acme}
        services:
          api:
            command: [./api]
            env: {LOG: info, OLD: "1", REGION: eu}
            ports: ["8080"]
          mail: {command: [./mail]}
        """

    private static let team = """
        name: team
        extends: [org]
        labels: {team: core}
        services:
          api:
            replicas: 2
            env: {LOG: debug, OLD: null}
        """

    private static let shop = """
        name: shop
        extends: [team]
        services:
          - {name: mail, remove: true}
          - name: api
            env: {LOG: trace}
            stopSignal: INT
        """

    private let shelf = ["org@1": Self.org, "team@1": Self.team]

    @Test func whatIsExtendedLiesBelow() throws {
        let (stack, checked) = try compose(Self.shop, shelf)
        let spec = try #require(checked.spec, "\(checked.diagnostics.map(\.rendered))")
        #expect(stack.origins.map(\.description) == ["org@1", "team@1"])
        #expect(stack.files == ["/layers/org.sql": "-- org", "/layers/team.sql": "-- team"])
        #expect(spec.name == "shop")
        #expect(spec.description == "What everybody has")
        #expect(spec.labels == ["company": "acme", "team": "core"])
        #expect(spec.services.map(\.name) == ["api"])
        let api = try #require(spec.service("api"))
        #expect(api.env == ["LOG": "trace", "REGION": "eu"])
        #expect(api.replicas == 2)
        #expect(api.workdir == "/layers")
        #expect(checked.composed.value["extends"] == nil)
    }

    @Test func everythingIsExplained() throws {
        let (_, checked) = try compose(Self.shop, shelf)
        let spec = try #require(checked.spec)
        let all = checked.composed.explain("", spec: spec)
        func one(_ path: String) throws -> Explanation { try #require(all.first { $0.path == path }, "\(path)") }
        let log = try one("services.api.env.LOG")
        #expect(
            [log.value, log.layer ?? "-", log.file, "\(log.line):\(log.column)"] == [
                "trace", "-", "dir/shop.yaml", "6:16",
            ])
        #expect(log.overridden.map(\.layer) == ["team@1", "org@1"])
        #expect(log.overridden.map(\.value) == ["debug", "info"])
        #expect(log.overridden.map(\.line) == [7, 7])
        let replicas = try one("services.api.replicas")
        #expect([replicas.layer, replicas.file, "\(replicas.line)"] == ["team@1", "team.yaml", "6"])
        let old = try one("services.api.env.OLD")
        #expect(old.removal == .null)
        #expect([old.layer, "\(old.line)"] == ["team@1", "7"])
        #expect(old.overridden.map(\.value) == ["1"])
        let mail = try one("services.mail")
        #expect(mail.removal == .remove)
        #expect(["\(mail.line)", mail.overridden.first?.layer] == ["4", "org@1"])
        #expect(mail.overridden.map(\.kind) == [.container])
        #expect(checked.composed.explain("services.mail.command", spec: spec).map(\.path) == ["services.mail"])
        // What nobody wrote.
        for (path, value) in [
            ("services.api.restart", "always"), ("services.api.stopGraceSeconds", "10"),
            ("services.api.data", "inherit"),
            ("services.api.probes.readiness.tcp.port", "http"), ("autoShutdownDelayMinutes", "30"),
            ("services.api.ports.http.name", "http"), ("services.api.ports.http.protocol", "http"),
            ("routing.mode", "isolated"), ("routing.headerName", "x-msx-env"), ("services.api.workdir", "/layers"),
        ] {
            let found = try one(path)
            #expect([found.value, found.layer] == [value, "default"], "\(path)")
            #expect(found.reason != nil, "\(path)")
        }
        #expect(try one("services.api.stopSignal").layer == nil)
        #expect(checked.composed.explain("services.api.restart", spec: spec).count == 1)
        #expect(all.map(\.path) == all.map(\.path).sorted())
    }

    @Test func whatItComesToIsRendered() throws {
        let (_, checked) = try compose(Self.shop, shelf)
        #expect(
            checked.rendered(in: "/projects/dir") == """
                name: shop
                description: What everybody has
                labels:
                  company: acme
                  team: core
                services:
                  - name: api
                    command:
                      - ./api
                    env:
                      LOG: trace
                      REGION: eu
                    ports:
                      - name: http
                        containerPort: 8080
                    replicas: 2
                    stopSignal: INT
                    workdir: /layers

                """)
        let lines = checked.rendered(in: "/projects/dir", showsProvenance: true).split(separator: "\n").map(String.init)
        #expect(lines.contains("      REGION: eu  # org@1 (org.yaml):7:40"))
        #expect(lines.contains("      LOG: trace  # dir/shop.yaml:6:16"))
        #expect(lines.contains("      - name: http  # default, for the port at org@1 (org.yaml):8:13"))
    }

    @Test func aConcealedSecretContradictsNone() throws {
        func run(_ first: String, _ second: String) -> [String] {
            let text = ["a": first, "b": second].sorted { $0.key < $1.key }.map { name, value in
                "  \(name): {command: [x], secrets: [{name: s, envKey: S, value: \(value)}]}\n"
            }
            return Run("name: x\nservices:\n" + text.joined()).diagnostics.map(\.code)
        }
        #expect(run("one", "two") == ["secret_mismatch"])
        #expect(run("(secret)", "two") == [])
    }

    @Test func aSharedLayerIsThereOnce() throws {
        let layers = [
            "org@1": Self.org, "a@1": "name: a\nextends: [org]\nservices: {api: {env: {LOG: a}}}",
            "b@1": "name: b\nextends: [org]\nservices: {api: {env: {B: b}}}",
        ]
        let (stack, checked) = try compose("name: shop\nextends: [a, b]", layers)
        #expect(stack.origins.map(\.name) == ["org", "a", "b"])
        #expect(checked.spec?.service("api")?.env["LOG"] == "a")
    }

    @Test func aRevisionIsPinned() throws {
        let layers = shelf.merging(["org@2": Self.org.replacing("REGION: eu", with: "REGION: us")]) { $1 }
        let region = { (text: String) in try self.compose(text, layers).checked.spec?.service("api")?.env["REGION"] }
        #expect(try region("name: x\nextends: [team]") == "us")
        #expect(try region("name: x\nextends: [org@1]") == "eu")
        // What the Blueprint itself pins holds for those below, whatever comes first.
        #expect(try region("name: x\nextends: [team, org@1]") == "eu")
        let pinning = layers.merging(["team@2": Self.team.replacing("[org]", with: "[org@1]")]) { $1 }
        let found = try problems("name: x\nextends: [org@2, team]", pinning)
        #expect(found == ["layer_conflict@team@2 (team.yaml):2:11"])
        #expect(
            try problems("name: x\nextends: [org@7]", layers) == ["unknown_layer@dir/shop.yaml:2:11"])
    }

    @Test func filesLieBesideTheFile() throws {
        let layers = [
            "/projects/dir/base/team.yaml": "name: t\nextends: [./org.yml]\nservices: {api: {replicas: 3}}",
            "/projects/dir/base/org.yml": Self.org,
        ]
        let (stack, checked) = try compose("name: x\nextends: [base/team.yaml]", layers)
        #expect(checked.spec?.service("api")?.workdir == "/projects/dir/base")
        #expect(
            stack.layers.map(\.value.location.file.name) == ["dir/base/org.yml", "dir/base/team.yaml", "dir/shop.yaml"])
        #expect(try problems("name: x\nextends: [../x.yaml]", layers).first == "missing_file@dir/shop.yaml:2:11")
    }

    @Test func cyclesAreNamed() throws {
        let layers = [
            "a@1": "name: a\nextends: [b]", "b@1": "name: b\nextends: [c]", "c@1": "name: c\nextends: [a]",
            "/projects/dir/self.yaml": "name: s\nextends:\n  - self.yaml",
        ]
        let (_, checked) = try compose("name: x\nextends: [a]\nservices: {s: {command: [s]}}", layers)
        let cycle = try #require(checked.diagnostics.first)
        #expect(
            cycle.rendered.hasPrefix(
                "c@1 (c.yaml):2:11: error: these layers extend each other: a → b → c → a [layer_cycle]"))
        #expect(
            try problems("name: x\nextends: [./self.yaml]\nservices: {s: {command: [s]}}", layers) == [
                "layer_cycle@dir/self.yaml:3:5"
            ])
        // A layer that is applied anew, which others extend already.
        #expect(
            try problems("name: c\nextends: [a]", ["a@1": "name: a\nextends: [c]"], as: "c") == [
                "layer_cycle@a@1 (a.yaml):2:11"
            ])
    }

    @Test func thereAreLimits() throws {
        var chain: [String: String] = [:]
        for number in 0..<20 { chain["l\(number)@1"] = "name: l\nextends: [l\(number + 1)]" }
        chain["l20@1"] = "name: l\nservices: {s: {command: [s]}}"
        #expect(try problems("name: x\nextends: [l0]", chain).first == "layers_too_deep@l15@1 (l15.yaml):2:11")
        let many = Dictionary(uniqueKeysWithValues: (0..<70).map { ("m\($0)@1", "name: m") })
        let names = (0..<70).map { "m\($0)" }.joined(separator: ", ")
        #expect(
            try problems("name: x\nservices: {s: {command: [s]}}\nextends: [\(names)]", many) == [
                "too_many@dir/shop.yaml:3:321"
            ])
        var limits = LayerLimits()
        limits.bytes = 200
        let (_, checked) = try compose(Self.shop, shelf, limits: limits)
        #expect(checked.diagnostics.map(\.code).contains("layers_too_large"))
    }

    @Test func aLayersProblemStandsInIt() throws {
        let layers = [
            "org@1": Self.org.replacing("replicas", with: "replicsa") + "\nservics: {}\n", "bad@1": "a: [",
            "team@1": Self.team,
        ]
        #expect(try problems(Self.shop, layers) == ["unknown_key@org@1 (org.yaml):10:1"])
        let bad = try problems("name: x\nextends: [bad]\nservices: {s: {command: [s]}}", layers)
        #expect(bad.count == 1)
        #expect(bad.first?.hasPrefix("yaml_syntax@bad@1 (bad.yaml):") == true)
    }

    @Test func whatIsNotAtHandIsNotMissed() throws {
        let read = try #require(Blueprint.read(Array(Self.shop.utf8), file: "s.yaml", folder: "/").document)
        #expect(Blueprint.check(read).diagnostics == [])
        let stack = Blueprint.assemble(read) { _ in .elsewhere }
        #expect(stack.missing == [.registered(name: "team", revision: nil)])
    }

    @Test func removingInVainIsAnErrorAtItsPlace() throws {
        var layers = shelf
        layers["team@1"] = Self.team + "\n  nix: null\n"
        #expect(try problems(Self.shop, layers) == ["nothing_to_remove@team@1 (team.yaml):8:3"])
        // Once it is removed, it is not there any more.
        #expect(
            try problems(
                "name: x\nextends: [shop]\nservices: {mail: null}", shelf.merging(["shop@1": Self.shop]) { $1 }) == [
                    "nothing_to_remove@dir/shop.yaml:3:12"
                ])
        // What is left and refers to it is wrong: nobody answers.
        let needed = Self.org.replacing("REGION: eu", with: "MAIL: \"${services.mail.url}\"")
        #expect(
            try problems(Self.shop, ["org@1": needed, "team@1": Self.team]) == ["unknown_service@org@1 (org.yaml):7:38"]
        )
    }

    @Test func aLayerIsAPart() throws {
        #expect(try problems("name: part\nservices: {api: {env: {A: '${services.db.url}'}}}", [:], as: "part") == [])
        #expect(try problems("description: x", [:], as: "part") == ["missing_field@dir/shop.yaml:1:1"])
        #expect(
            try problems("name: part\nservices: {api: {evn: {}}}", [:], as: "part") == [
                "unknown_key@dir/shop.yaml:2:18"
            ])
    }

    @Test func composedDocumentsAreStoredWhole() throws {
        let (_, checked) = try compose(Self.shop, shelf)
        let stored = try JSON.encode(checked.composed)
        let again = try JSON.decode(BlueprintDocument.self, from: stored)
        #expect(again == checked.composed)
        let attributed = again.attributed(to: SourceOrigin(.environment, "shop", revision: 4))
        let layers = Set(attributed.explain("").map { $0.layer ?? "-" })
        #expect(layers == ["shop#r4", "org@1", "team@1", "default"])
    }

    @Test func overlaysTombstonesAreExplainedToTheLast() throws {
        let base = try compose("name: shop\nextends: [org]", shelf).checked.composed
            .attributed(to: SourceOrigin(.environment, "shop", revision: 1))
        let first = Run(
            "name: one\nservices: {mail: null, api: {env: {REGION: null}}}", over: base, mode: .overlay,
            file: "one.yaml")
        let one = try #require(first.checked?.composed, "\(first.found)")
        #expect(one.explain("services.mail").map(\.removal) == [.remove])
        let second = Run(
            "name: two\nservices: {api: {env: {REGION: asia}}}",
            over: one.attributed(to: SourceOrigin(.environment, "one", revision: 2)), mode: .overlay, file: "two.yaml")
        let two = try #require(second.checked?.composed)
        let mail = try #require(two.explain("services.mail").first)
        #expect([mail.layer, mail.file, mail.overridden.first?.layer] == ["one#r2", "one.yaml", "org@1"])
        #expect(two.explain("services.api.env.REGION").map(\.value) == ["asia"])
        let third = Run("name: three\nservices: {mail: {command: [./m]}}", over: two, mode: .overlay)
        #expect(third.checked?.composed.explain("services.mail").allSatisfy { $0.removal == nil } == true)
    }
}
