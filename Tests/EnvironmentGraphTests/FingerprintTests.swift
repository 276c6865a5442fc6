import Blueprints
import EnvironmentGraph
import Testing

@Suite struct FingerprintTests {
    private static let cases = 10_000
    private static let seed: UInt64 = 0x5EED_0007

    private static func lineage(_ chain: [EnvironmentRecord]) throws -> Lineage {
        try #require(Lineage(of: chain[0]) { id in chain.first { $0.id == id } })
    }

    // MARK: The form

    /// The example of docs/internals/fingerprints.md; the digest is that of `sha256sum`.
    @Test func theFormIsWrittenByteForByteAsThePageSays() throws {
        let spec = BlueprintSpec(
            name: "any", labels: ["team": "zoë"],
            services: [
                ServiceSpec(
                    name: "web", command: ["./web", "a\"b\n"], workdir: "/srv",
                    ports: [PortSpec(name: "http", containerPort: 8080)], env: ["B": "2", "A": "1"], expose: true,
                    dependsOn: [DependencySpec(service: "db", origin: .declared)]),
                ServiceSpec(
                    name: "db", command: ["./db"], workdir: "/srv", ports: [PortSpec(name: "tcp", transport: .tcp)]),
            ])
        let form = try Self.lineage([Samples.baseline(spec)]).graphForm
        let text = String(decoding: form.bytes, as: UTF8.self)
        #expect(
            text == #"""
                {"form":"graph/1","mode":"baseline","services":{"db":{"provider":0,"spec":{"command":["./db"],"ports":[{"name":"tcp","protocol":"tcp"}],"workdir":"/srv"}},"web":{"provider":0,"spec":{"command":["./web","a\"b\u000a"],"dependsOn":[{"condition":"healthy","service":"db"}],"env":{"A":"1","B":"2"},"expose":true,"ports":[{"containerPort":8080,"name":"http","protocol":"http"}],"workdir":"/srv"}}},"settings":{"labels":{"team":"zoë"},"routing":{}}}
                """#)
        #expect(
            Fingerprint(of: form).description
                == "sha256:302f3e71c84a7cba7beac94e95315a9931068100117cf355e101bbeb8db58462")
    }

    @Test func aServiceIsTheSameOneInEveryEnvironment() {
        #expect(ServiceIdentity("payments").description == "svc-pr7yxe6mjfjt66vo5httkateap")
        #expect(ServiceIdentity("payments") != ServiceIdentity("payment"))
    }

    /// A field that is new must be given a place in `BlueprintSpec+Canonical.swift` (left out where it has its default) and in
    /// docs/internals/fingerprints.md, or be named here as one that means nothing.
    @Test func noFieldIsForgotten() {
        func fields(_ value: Any) -> Set<String> { Set(Mirror(reflecting: value).children.compactMap(\.label)) }
        let spec = ServiceSpec(name: "x")
        #expect(
            fields(spec) == [
                "name", "command", "args", "image", "workdir", "build", "user", "replicas", "ports", "env", "secrets",
                "expose",
                "dependsOn", "probes", "volumes", "initialisers", "restart", "stopSignal", "stopGraceSeconds",
                "onDemand", "literals", "held", "contract", "ownData",
                "eager",
            ])
        #expect(
            fields(BlueprintSpec(name: "x", services: [])) == [
                "name", "description", "labels", "services", "routing", "runtime", "repair", "times", "residency",
            ])
        #expect(
            fields(RoutingSpec()) == [
                "mode", "baselineId", "overlayId", "headerName", "propagateHeader", "onUnknownContext", "onLeak",
                "attributed", "carried",
            ])
        #expect(fields(LifecycleSpec()) == ["idleMilliseconds", "ttl", "schedule"])
        #expect(fields(PortSpec(name: "x")) == ["name", "containerPort", "transport", "hostPort", "tls"])
        #expect(fields(VolumeSpec(name: "x", mountPath: "/")) == ["name", "mountPath", "kind", "size"])
        #expect(fields(DependencySpec(service: "x")) == ["service", "condition", "origin"])
        #expect(fields(spec.probes) == ["readiness", "liveness", "startup"])
        #expect(fields(ProbeSpec(.tcp(port: nil))) == ["check", "periodSeconds", "timeoutSeconds", "failureThreshold"])
        #expect(fields(SQLInitSpec(script: "x")) == ["script", "engine", "user", "password", "database"])
        #expect(fields(HTTPInitSpec(path: "/")) == ["method", "path", "port", "headers", "body"])
    }

    // MARK: Laws

    @Test func equalMeaningHasEqualFingerprints() throws {
        for number in 0..<Self.cases {
            let seed = Self.seed &+ UInt64(number)
            var dice = Dice(seed)
            let chain = RandomSpecs.lineage(&dice, services: 3)
            let renamed = chain.map { Self.sayingTheSame($0, &dice) }
            let (one, other) = (try Self.lineage(chain), try Self.lineage(renamed))
            let isSame =
                Fingerprint(of: one.graphForm) == Fingerprint(of: other.graphForm)
                && one.resolutionForm == other.resolutionForm
            #expect(isSame, "seed \(seed)")
            if !isSame { return }
        }
    }

    /// Other names and ids of environments, another order of whatever has none.
    private static func sayingTheSame(_ record: EnvironmentRecord, _ dice: inout Dice) -> EnvironmentRecord {
        var spec = record.spec
        spec.services.shuffle(using: &dice)
        for index in spec.services.indices {
            spec.services[index].secrets.shuffle(using: &dice)
            spec.services[index].volumes.shuffle(using: &dice)
            spec.services[index].dependsOn.shuffle(using: &dice)
            spec.services[index].env = Dictionary(
                uniqueKeysWithValues: spec.services[index].env.shuffled(using: &dice).map { ($0.key, $0.value) })
        }
        spec.name = "renamed"
        spec.description = "other words"
        spec.routing.overlayId = "other"
        spec.routing.baselineId = "else"
        var entries = record.difference
        entries.entries.shuffle(using: &dice)
        func id(_ id: EnvironmentID) -> EnvironmentID { EnvironmentID(rawValue: id.rawValue + "-again") }
        return EnvironmentRecord(
            id: id(record.id), name: record.name + "-again", mode: record.mode, revision: 7, spec: spec,
            difference: entries, overlayID: record.overlayID.map { $0 + "-again" },
            parent: record.parent.map { .init(id: id($0.id), name: "else", revision: 3) }, createdAt: 99)
    }

    @Test func anySingleChangeOfMeaningIsAnotherFingerprint() throws {
        var changes = 0
        for number in 0..<Self.cases {
            let seed = Self.seed &+ 100_000 &+ UInt64(number)
            var dice = Dice(seed)
            let record = Samples.baseline(RandomSpecs.spec(&dice, services: 1 + dice.below(3)))
            var other = record
            let change = Mutation.all[number % Mutation.all.count]
            let before = other.spec
            change.apply(&other.spec, &dice)
            // A change that says what is said anyway.
            guard other.spec != before else { continue }
            changes += 1
            let isOther =
                Fingerprint(of: try Self.lineage([record]).graphForm)
                != Fingerprint(of: try Self.lineage([other]).graphForm)
            #expect(isOther, "\(change.name), seed \(seed)")
            if !isOther { return }
        }
        #expect(changes > Self.cases * 9 / 10)
    }

    @Test func aPlanIsWhatIsDoneAfterWhat() {
        for number in 0..<2_000 {
            let seed = Self.seed &+ 200_000 &+ UInt64(number)
            var dice = Dice(seed)
            let plan = Planner.create(Samples.baseline(RandomSpecs.spec(&dice, services: 1 + dice.below(3))))
            var same = plan
            same.steps.shuffle(using: &dice)
            for index in same.steps.indices {
                same.steps[index].reason += " in other words"
                same.steps[index].title += "!"
                same.steps[index].needs.shuffle(using: &dice)
            }
            var other = plan
            let index = dice.below(other.steps.count)
            switch dice.below(4) {
            case 0: other.steps.remove(at: index)
            case 1: other.steps[index].needs.append("elsewhere")
            case 2: other.steps[index].key += "x"
            default: other.steps[index].action = .startService("other")
            }
            let (isSame, isOther) = (
                plan.canonicalForm.bytes == same.canonicalForm.bytes,
                plan.canonicalForm.bytes != other.canonicalForm.bytes
            )
            #expect(isSame && isOther, "seed \(seed)")
        }
    }

    @Test func whereTheProviderIsMeansSomething() throws {
        let base = Samples.baseline()
        let one = Samples.overlay(Samples.changing("payments"), on: base, id: "env-1")
        var two = one
        // The same spec, run by the baseline.
        two.difference = Difference.between(request: two.spec, parent: two.spec)
        let forms = try [one, two].map { try Self.lineage([$0, base]) }
        #expect(forms[0].resolutionForm != forms[1].resolutionForm)
        #expect(Fingerprint(of: forms[0].graphForm) != Fingerprint(of: forms[1].graphForm))
    }
}

/// Ways to say something else.
struct Mutation: Sendable {
    let name: String
    let apply: @Sendable (inout BlueprintSpec, inout Dice) -> Void

    private static func service(
        _ name: String, _ change: @escaping @Sendable (inout ServiceSpec, inout Dice) -> Void
    ) -> Mutation {
        Mutation(name: name) { spec, dice in change(&spec.services[dice.below(spec.services.count)], &dice) }
    }

    static let all: [Mutation] = ofServices + ofPorts + ofSettings

    private static let ofServices: [Mutation] = [
        service("name") { service, _ in service.name += "x" },
        service("command") { service, _ in service.command.append("x") },
        service("order of command") { service, _ in service.command.reverse() },
        service("args") { service, _ in service.args.append("") },
        service("command into args") { service, _ in service.args = [service.command.removeLast()] },
        service("image") { service, _ in service.image = "x:1" },
        service("workdir") { service, _ in service.workdir += "x" },
        service("build") { service, _ in service.build = ["make"] },
        service("user") { service, _ in service.user = "nobody" },
        service("replicas") { service, _ in service.replicas += 1 },
        service("env") { service, dice in service.env["X\(dice.below(9))"] = "" },
        service("env's value") { service, _ in service.env["N", default: ""] += "1" },
        service("secret") { service, _ in
            service.secrets.append(SecretSpec(name: "z", envKey: "Z", source: .fromEnv("Z")))
        },
        service("secret's source") { service, dice in
            service.secrets = service.secrets.map { secret in
                var secret = secret
                secret.source = .fromFile("/x\(dice.below(2))")
                return secret
            }
            service.env["Y"] = "y"
        },
        service("expose") { service, _ in service.expose.toggle() },
        service("dependency") { service, _ in service.dependsOn.append(DependencySpec(service: "zz")) },
        service("condition") { service, _ in
            service.dependsOn.removeAll()
            service.dependsOn.append(DependencySpec(service: "zz", condition: .completed))
        },
        service("readiness") { service, _ in service.probes.readiness = ProbeSpec(.log(pattern: "up")) },
        service("liveness") { service, _ in service.probes.liveness = ProbeSpec(.tcp(port: "x"), periodSeconds: 0.25) },
        service("startup") { service, _ in service.probes.startup = ProbeSpec(.exec(command: ["x"])) },
        service("probe's path") { service, _ in service.probes.readiness = ProbeSpec(.http(path: "/x", port: "y")) },
        service("volume") { service, _ in service.volumes.append(VolumeSpec(name: "z", mountPath: "/z", size: "1Gi")) },
        service("volume's kind") { service, _ in
            service.volumes = [VolumeSpec(name: "d", mountPath: "/d", kind: .ephemeral)]
        },
        service("init") { service, _ in
            service.initialisers.append(.http(HTTPInitSpec(path: "/x", headers: ["a": "b"])))
        },
        service("sql") { service, _ in service.initialisers.append(.sql(SQLInitSpec(script: "/s", engine: .mysql))) },
        service("order of init") { service, _ in
            service.initialisers = [.command(["two"]), .command(["init"])]
        },
        service("restart") { service, _ in service.restart = .onFailure },
        service("claims") { service, dice in service.claims.append("z\(dice.below(3))") },
        service("contract") { service, _ in service.contract = "/z.yaml" },
        service("data") { service, _ in service.data = .empty },
        service("signal") { service, _ in service.stopSignal = "SIGINT" },
        service("grace") { service, _ in service.stopGraceSeconds = 0.5 },
        service("activation") { service, _ in
            service.activation = service.activation == .eager ? .onDemand : .eager
        },
    ]

    private static let ofPorts: [Mutation] = [
        service("port") { service, _ in service.ports.append(PortSpec(name: "x")) },
        service("first port") { service, _ in service.ports.insert(PortSpec(name: "x"), at: 0) },
        service("port's number") { service, _ in service.ports = [PortSpec(name: "main", containerPort: 1)] },
        service("host's port") { service, _ in service.ports = [PortSpec(name: "main", hostPort: 1)] },
        service("protocol") { service, _ in service.ports = [PortSpec(name: "main", transport: .http2)] },
        service("tls") { service, _ in service.ports = [PortSpec(name: "main", tls: PortTLS())] },
        service("authorities") { service, _ in service.ports = [PortSpec(name: "main", tls: PortTLS(authorities: "x"))]
        },
    ]

    private static let ofSettings: [Mutation] = [
        Mutation(name: "service") { spec, _ in spec.services.append(ServiceSpec(name: "zz")) },
        Mutation(name: "no service") { spec, _ in spec.services.removeLast() },
        Mutation(name: "label") { spec, _ in spec.labels["team"] = "x" },
        Mutation(name: "carry") { spec, _ in spec.routing.carry = .auto },
        Mutation(name: "residency") { spec, _ in spec.residency = ResidencySpec(allow: ["eu"]) },
        Mutation(name: "runtime") { spec, _ in spec.runtime = .process },
        Mutation(name: "repair") { spec, _ in spec.repair = .report },
        Mutation(name: "header") { spec, _ in spec.routing.headerName = "x-other" },
        Mutation(name: "propagation") { spec, _ in spec.routing.propagateHeader = false },
        Mutation(name: "unknown") { spec, _ in spec.routing.onUnknownContext = .baseline },
        Mutation(name: "leak") { spec, _ in spec.routing.onLeak = .reject },
        Mutation(name: "attribution") { spec, _ in spec.routing.attribution = .soleRequest },
        Mutation(name: "idle") { spec, _ in spec.lifecycle.idleMilliseconds = 60_000 },
        Mutation(name: "ttl") { spec, _ in spec.lifecycle.ttl = TTLSpec(milliseconds: 1000) },
        Mutation(name: "schedule") { spec, _ in
            spec.lifecycle.schedule = ScheduleSpec(sleep: nil, wake: nil, timezone: "Europe/Vienna")
        },
    ]
}
