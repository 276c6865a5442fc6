import Blueprints
import EnvironmentGraph
import Testing

@Suite struct PredictionTests {
    private static let day: Int64 = 86_400_000

    /// Web shows carts and payments; both keep data; a worker looks at the carts' data by itself.
    private static let shop = BlueprintSpec(
        name: "shop",
        services: [
            service("web", to: ["carts", "payments"], expose: true),
            service("admin", to: ["carts"], expose: true),
            service("carts", to: ["carts-db"]), service("payments", to: ["payments-db", "fraud"]),
            service("fraud"), tcp("carts-db"), tcp("payments-db"),
        ])

    private static func service(
        _ name: String, to others: [String] = [], needs: [String] = [], expose: Bool = false,
        ports: [PortSpec] = [Samples.web]
    ) -> ServiceSpec {
        ServiceSpec(
            name: name, command: ["run"], ports: ports,
            env: Dictionary(uniqueKeysWithValues: others.map { ("TO_\($0)", "${services.\($0).url}") }), expose: expose,
            dependsOn: (others.map { DependencySpec(service: $0, origin: .reference) }
                + needs.map { DependencySpec(service: $0) }).sorted { $0.service < $1.service })
    }

    private static func tcp(_ name: String) -> ServiceSpec { service(name, ports: [Samples.tcp]) }

    private static func isolated(_ spec: BlueprintSpec) -> EnvironmentRecord {
        EnvironmentRecord(
            id: EnvironmentID(rawValue: "env-1"), name: spec.name, mode: .isolated, spec: spec,
            difference: .between(request: spec, parent: nil), createdAt: 0)
    }

    private static func lineage(_ chain: EnvironmentRecord...) -> Lineage {
        Lineage(of: chain[0]) { id in chain.first { $0.id == id } } ?? Lineage(of: chain[chain.count - 1]) { _ in nil }!
    }

    private static func adding(_ services: ServiceSpec..., to spec: BlueprintSpec = shop) -> BlueprintSpec {
        BlueprintSpec(name: spec.name, services: spec.services + services)
    }

    private static func changing(_ name: String, _ change: (inout ServiceSpec) -> Void) -> BlueprintSpec {
        var spec = shop
        for index in spec.services.indices where spec.services[index].name == name { change(&spec.services[index]) }
        return spec
    }

    private static func predict(
        _ spec: BlueprintSpec = shop, _ focus: String..., observed: ObservedCalls? = nil
    ) -> Prediction {
        Prediction(lineage(isolated(spec)), focus: focus, observed: observed)
    }

    private static func observed(_ calls: (String?, String, UInt64)...) -> ObservedCalls {
        var observed = ObservedCalls(scope: "env-1", lineage: "shop")
        _ = observed.take(calls.map { (caller: $0.0, callee: $0.1, count: $0.2) }, countedSince: 1, now: 20_000 * day)
        return observed
    }

    // MARK: What starts

    @Test func withoutAFocusEverythingStarts() {
        let prediction = Self.predict()
        #expect(prediction.cold.isEmpty)
        #expect(prediction.changed == nil)
        #expect(prediction.exercised == nil)
    }

    @Test func aFocusStartsTheWayThereAndWhatItNeeds() {
        let prediction = Self.predict(Self.shop, "payments")
        #expect(prediction.cold == ["admin", "carts", "carts-db"])
        let reasons = Dictionary(prediction.services.map { ($0.name, $0.reason) }) { $1 }
        #expect(reasons["web"] == "requests to payments come in here")
        #expect(reasons["payments"] == "in focus")
        #expect(reasons["payments-db"] == "payments refers to it")
        #expect(reasons["carts"] == "on no path to payments; its first request wakes it")
        #expect(reasons["carts-db"] == "only carts needs it; it wakes with that")
    }

    @Test func whatStartsBringsWhatItDeclaresAndWhatNobodyCanWake() {
        // Web itself needs a session store over TCP and declares carts.
        var spec = Self.changing("web") { web in
            web.dependsOn = web.dependsOn.filter { $0.service != "carts" } + [DependencySpec(service: "carts")]
            web.env["S"] = "${services.sessions.address}"
            web.dependsOn.append(DependencySpec(service: "sessions", origin: .reference))
        }
        spec = Self.adding(Self.tcp("sessions"), to: spec)
        let prediction = Self.predict(spec, "payments")
        #expect(prediction.cold == ["admin"])
        #expect(prediction.service("sessions")?.reason == "web needs it, and it is reached over TCP")
        #expect(prediction.service("carts")?.reason == "web depends on it")
        #expect(prediction.service("carts-db")?.reason == "carts needs it, and it is reached over TCP")
        #expect(prediction.service("carts")?.isExercised == false)
    }

    @Test func whoeverNobodyCallsStartsAsNothingWouldWakeIt() {
        let spec = Self.adding(
            Self.service("worker", to: ["carts"], ports: []), Self.service("clock"), Self.tcp("ring-a"))
        let prediction = Self.predict(spec, "payments")
        #expect(prediction.cold == ["admin", "carts", "carts-db"])
        var lazy = spec
        for index in lazy.services.indices where lazy.services[index].name == "clock" {
            lazy.services[index].activation = .onDemand
        }
        #expect(Self.predict(lazy, "payments").cold == ["admin", "carts", "carts-db", "clock"])
    }

    @Test func aCircleThatNothingWakesStarts() {
        var (a, b) = (Self.tcp("ring-a"), Self.tcp("ring-b"))
        a.env = ["B": "${services.ring-b.address}"]
        b.env = ["A": "${services.ring-a.address}"]
        let prediction = Self.predict(Self.adding(a, b), "payments")
        #expect(!prediction.cold.contains("ring-a") && !prediction.cold.contains("ring-b"))
    }

    @Test func activationIsAPersonsWord() {
        #expect(!Self.predict(Self.changing("carts") { $0.activation = .eager }, "payments").cold.contains("carts"))
        #expect(!Self.predict(Self.changing("carts") { $0.activation = .eager }, "payments").cold.contains("carts-db"))
        let prediction = Self.predict(Self.changing("fraud") { $0.activation = .onDemand }, "payments")
        #expect(prediction.service("fraud")?.verdict == .cold)
        #expect(prediction.service("fraud")?.reason == "activation: onDemand")
        #expect(Self.predict(Self.changing("fraud") { $0.activation = .onDemand }).cold == ["fraud"])
    }

    @Test func aFocusThatNoPathLeadsToStartsEveryEntry() {
        let prediction = Self.predict(
            Self.adding(Self.service("hidden"), Self.service("caller", to: ["hidden"])), "hidden")
        // The caller acts by itself, so the way is from there.
        #expect(prediction.service("caller")?.reason == "calls hidden by itself")
        var (one, two) = (Self.service("one", to: ["two"]), Self.service("two", to: ["one"]))
        one.dependsOn = []
        two.dependsOn = []
        let lost = Self.predict(Self.adding(one, two), "one")
        #expect(lost.service("web")?.verdict == .eager)
        #expect(lost.service("web")?.reason == "no known path leads to one, so any entry point may")
    }

    // MARK: What was observed

    @Test func anObservedCallIsAPath() {
        let spec = Self.adding(Self.service("ledger"))
        let observed = Self.observed((nil, "web", 100), ("web", "payments", 40), ("payments", "ledger", 20))
        let prediction = Self.predict(spec, "ledger", observed: observed)
        #expect(prediction.service("payments")?.reason == "on the way from web to ledger")
        #expect(prediction.service("web")?.verdict == .eager)
        #expect(prediction.service("ledger")?.traffic?.share == 0.2)
        #expect(prediction.service("payments")?.traffic?.requests == 100)
    }

    @Test func whatMostRequestsReachStarts() {
        let often = Self.observed((nil, "web", 100), ("web", "carts", 60))
        #expect(!Self.predict(Self.shop, "payments", observed: often).cold.contains("carts"))
        let seldom = Self.observed((nil, "web", 100), ("web", "carts", 40))
        #expect(Self.predict(Self.shop, "payments", observed: seldom).cold.contains("carts"))
        let few = Self.observed((nil, "web", 10), ("web", "carts", 10))
        #expect(Self.predict(Self.shop, "payments", observed: few).cold.contains("carts"))
    }

    @Test func callsAreSharedOutByWhereTheyCameFrom() throws {
        let observed = Self.observed(
            (nil, "web", 300), (nil, "admin", 100), ("web", "carts", 150), ("admin", "carts", 50),
            ("carts", "carts-db", 400))
        let flows = Traffic.flows(in: observed)
        let data = try #require(flows["carts-db"])
        #expect(data.entry == "web")
        #expect(data.calls == 300)
        #expect(data.share == 1)
        #expect(flows["carts"]?.share == 0.5)
        // Callers in a circle come to an end.
        let circle = Traffic.flows(in: Self.observed((nil, "a", 10), ("a", "b", 20), ("b", "a", 10)))
        #expect(circle["b"].map { abs($0.calls - 20) < 0.1 } == true)
    }

    @Test func countsAreTakenInOnceAndForgottenInTime() throws {
        var observed = ObservedCalls(scope: "env-1", lineage: "shop")
        let start = 20_000 * Self.day
        func take(_ count: UInt64, since: Int64 = 1, at time: Int64) -> Bool {
            observed.take([(nil, "web", count)], countedSince: since, now: time)
        }
        #expect(take(10, at: start))
        #expect(!take(10, at: start + 1))
        #expect(take(15, at: start + Self.day))
        #expect(observed.edges.map(\.count) == [15])
        // Another gateway has begun anew.
        #expect(take(3, since: 2, at: start + Self.day))
        #expect(observed.edges.map(\.count) == [18])
        // This one has made room and counts anew.
        #expect(take(1, since: 2, at: start + Self.day))
        #expect(observed.edges.map(\.count) == [19])
        #expect(take(2, since: 2, at: start + 14 * Self.day))
        #expect(observed.edges.map(\.count) == [10])
        observed.tidy(start + 40 * Self.day)
        #expect(observed.isEmpty)
        // What was told stays known as told.
        #expect(!take(2, since: 2, at: start + 40 * Self.day))

        var sum = Self.observed((nil, "web", 4))
        sum.add(Self.observed((nil, "web", 3), ("web", "api", 1)), now: start)
        #expect(sum.edges.map(\.count) == [7, 1])
        var many = ObservedCalls(scope: "x", lineage: "x")
        let pairs = (0..<5000).map { (caller: String?("a"), callee: "s\($0)", count: UInt64($0 + 1)) }
        _ = many.take(pairs, countedSince: 1, now: start)
        #expect(many.edges.count == ObservedCalls.maxEdges)
    }

    // MARK: Overlays

    @Test func anOverlayStartsWhatDiffersAndInheritsTheRest() {
        let base = Samples.baseline(Self.shop)
        let spec = Self.changing("payments") { $0.args = ["new"] }
        let overlay = Samples.overlay(BlueprintSpec(name: "feat", services: spec.services), on: base, id: "env-o")
        let prediction = Prediction(Self.lineage(overlay, base))
        #expect(prediction.service("payments")?.verdict == .local)
        #expect(prediction.service("payments")?.reason == "changed: args")
        #expect(prediction.service("web")?.verdict == .inherited)
        #expect(prediction.service("web")?.reason == "shop answers; requests to payments come in here")
        #expect(prediction.service("web")?.isExercised == true)
        #expect(prediction.service("carts")?.isExercised == false)
        let both = Self.changing("payments") { $0.args = ["new"] }.services.map { service in
            var service = service
            if service.name == "admin" { service.args = ["new"] }
            return service
        }
        let wide = Samples.overlay(BlueprintSpec(name: "feat", services: both), on: base, id: "env-o")
        #expect(Prediction(Self.lineage(wide, base)).cold.isEmpty)
        #expect(Prediction(Self.lineage(wide, base), focus: ["payments"]).cold == ["admin"])
    }

    @Test func aBaselineRunsEverything() {
        #expect(Prediction(Self.lineage(Samples.baseline(Self.shop))).cold.isEmpty)
    }

    // MARK: The record

    @Test func aColdServiceWakesWithWhatOnlyItNeeds() {
        var record = Self.isolated(Self.shop)
        record.settle(Self.predict(Self.shop, "payments"))
        func running() -> [String] { record.localServices.flatMap(\.instances) }
        #expect(running() == ["fraud", "payments", "payments-db", "web"])
        #expect(Planner.create(record).steps.contains { $0.key == "service/carts/start" } == false)
        record.warm(["carts"])
        #expect(running() == ["carts", "carts-db", "fraud", "payments", "payments-db", "web"])
        record.coolDown()
        #expect(running() == ["fraud", "payments", "payments-db", "web"])
        // A decision made anew stops nothing that runs.
        var next = record
        next.warm(["carts"])
        let before = next
        next.settle(Self.predict(Self.shop, "fraud"), before: before)
        #expect(next.localServices.flatMap(\.instances) == before.localServices.flatMap(\.instances))
    }

    @Test func aReviewComparesWithWhatWasCalled() {
        let prediction = Self.predict(Self.shop, "payments")
        let review = PredictionReview(
            prediction, Self.observed((nil, "web", 7), ("web", "payments", 5), ("web", "carts", 2)))
        #expect(review.requests == 7)
        #expect(review.hits.map(\.name) == ["payments", "web"])
        #expect(review.neverCalled.map(\.name) == ["fraud", "payments-db"])
        #expect(review.surprises.map(\.name) == ["carts"])
        #expect(review.surprises.map(\.calls) == [2])
    }

    // MARK: Laws

    /// Whatever starts finds what it needs; whatever is cold is woken by a request or comes with what is; and neither the order
    /// of anything nor more observations make less start.
    @Test func nothingIsColdThatIsNeededOrThatNothingWakes() {
        for number in 0..<10_000 {
            let seed: UInt64 = 0x5EED_0033 &+ UInt64(number)
            var dice = Dice(seed)
            let spec = RandomSpecs.spec(&dice, services: 1 + dice.below(6))
            let names = spec.services.map(\.name)
            let focus = names.filter { _ in dice.chance(25) }
            let prediction = Prediction(Self.lineage(Self.isolated(spec)), focus: focus)
            var shuffled = spec
            shuffled.services.shuffle(using: &dice)
            let again = Prediction(Self.lineage(Self.isolated(shuffled)), focus: focus.shuffled(using: &dice))
            let problem = Self.problem(spec, focus, prediction)
            #expect(problem == nil && prediction == again, "seed \(seed): \(problem ?? "order")")
            if problem != nil || prediction != again { return }
            let observed = Self.observed((nil, dice.pick(names), 50), (dice.pick(names), dice.pick(names), 30))
            let more = Prediction(Self.lineage(Self.isolated(spec)), focus: focus, observed: observed)
            // What is called is no actor any more, and a path that is known makes guessing needless.
            let graph = ServiceGraph(Self.lineage(Self.isolated(spec)))
            let isGuess = prediction.services.contains { $0.reason.hasPrefix("no known path") }
            if isGuess || observed.edges.contains(where: { graph.actors.contains($0.callee) }) { continue }
            let lost = more.cold.subtracting(prediction.cold)
            #expect(lost.isEmpty, "seed \(seed): \(lost)")
            if !lost.isEmpty { return }
        }
    }

    private static func problem(_ spec: BlueprintSpec, _ focus: [String], _ prediction: Prediction) -> String? {
        let cold = prediction.cold
        if focus.isEmpty, let name = cold.first(where: { spec.service($0)?.activation != .onDemand }) {
            return "\(name) is cold without a focus"
        }
        for service in spec.services {
            let needs = service.reachedServices.filter { name in
                guard let other = spec.service(name), other.activation != .onDemand else { return false }
                return !other.isWakeable || service.dependsOn.contains { $0.service == name && $0.origin == .declared }
            }
            if !cold.contains(service.name), let missing = needs.first(where: cold.contains) {
                return "\(service.name) starts without \(missing)"
            }
            if service.activation == .eager, cold.contains(service.name) { return "\(service.name) is eager" }
            if focus.contains(service.name), service.activation == .auto, cold.contains(service.name) {
                return "\(service.name) is in focus"
            }
        }
        // Everything that is cold runs once every request that can wake something has come.
        var record = isolated(spec)
        record.settle(prediction)
        record.warm(Set(spec.services.filter { $0.isWakeable || $0.activation == .onDemand }.map(\.name)))
        let asleep = spec.services.first { record.isCold($0) }
        return asleep.map { "nothing wakes \($0.name)" }
    }
}
