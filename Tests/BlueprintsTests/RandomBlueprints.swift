@testable import Blueprints

/// Random Blueprints over few names and values, so that layers meet often; the same seed gives the same ones. What a whole
/// one says is mostly right, so that most of them are valid; every field that is built is there.
struct RandomBlueprints {
    /// YAML before it is written.
    indirect enum Node {
        /// As it stands in the text.
        case plain(String)
        case list([Node])
        case map([(key: String, value: Node)])
    }

    var random: SeededRandom
    /// Of a whole one; later ones refer to earlier ones.
    let services: [String]
    /// How much of what a service may say it says, in percent.
    let density: Int

    init(seed: UInt64, services: [String] = ["api", "db", "web"], density: Int = 100) {
        random = SeededRandom(state: seed)
        self.services = services
        self.density = density
    }

    /// A Blueprint that stands for itself.
    mutating func whole() -> String { written(root(isLayer: false)) }

    /// A layer, or an overlay's part: whatever is in it may be missing, `null` or removed.
    mutating func layer() -> String { written(root(isLayer: true)) }

    // MARK: Choosing

    mutating func chance(_ percent: Int) -> Bool { Int.random(in: 0..<100, using: &random) < percent }
    mutating func pick<T>(_ choices: T...) -> T { choices[Int.random(in: 0..<choices.count, using: &random)] }
    mutating func number(_ range: ClosedRange<Int>) -> Int { Int.random(in: range, using: &random) }

    mutating func some<T>(_ all: [T], _ percent: Int) -> [T] { all.filter { _ in chance(percent) } }

    // MARK: The file

    private mutating func root(isLayer: Bool) -> Node {
        var fields: [(key: String, value: Node)] = [("name", .plain(pick("shop", "x-1", "n")))]
        if chance(30) { fields.append(("description", text())) }
        if chance(30) { fields.append(("labels", isLayer && chance(15) ? .plain("null") : labels())) }
        if chance(15) { fields.append(("repair", .plain(pick("auto", "report", isLayer ? "null" : "auto")))) }
        if chance(15) { fields.append(("autoShutdownDelayMinutes", .plain(pick("10", "0.5", "1e2")))) }
        if chance(10) { fields.append(("autoShutdownEnabled", .plain(pick("true", "false")))) }
        if chance(10) { fields.append(("ttl", pick(.plain("24h"), .map([("duration", .plain("P7D"))])))) }
        if chance(10) { fields.append(("schedule", .map([("sleep", .plain("\"0 20 * * 1-5\""))]))) }
        if chance(15) { fields.append(("routing", routing(isLayer))) }
        let names = isLayer ? some(services, 60).shuffled(using: &random) : services.shuffled(using: &random)
        let written = names.map { (key: $0, value: service($0, isLayer)) }
        if !written.isEmpty || !isLayer { fields.append(("services", listOrMap(written))) }
        let name = fields.removeFirst()
        return .map([name] + fields.shuffled(using: &random))
    }

    private mutating func routing(_ isLayer: Bool) -> Node {
        let all: [(key: String, value: Node)] = [
            ("headerName", .plain("x-tenant")), ("onLeak", .plain(isLayer ? "null" : "reject")),
            ("propagateHeader", .plain("false")), ("onUnknownContext", .plain("baseline")),
        ]
        return .map(some(all, 40))
    }

    private mutating func labels() -> Node {
        .map(some([("team", text()), ("a.b", .plain("1")), ("true", .plain("yes"))], 50))
    }

    /// Both forms of a list of named things.
    private mutating func listOrMap(_ services: [(key: String, value: Node)]) -> Node {
        if chance(50) { return .map(services) }
        return .list(
            services.map { name, value in
                if case .map(let fields) = value { return .map([("name", .plain(name))] + fields) }
                return .map([("name", .plain(name)), ("remove", .plain("true"))])
            })
    }

    // MARK: A service

    private mutating func says(_ percent: Int) -> Bool { chance(percent * density / 100) }

    private mutating func service(_ name: String, _ isLayer: Bool) -> Node {
        if isLayer, chance(6) { return .plain("null") }
        if isLayer, chance(6) { return .map([("remove", .plain("true"))]) }
        var fields: [(key: String, value: Node)] = []
        func nothing(_ percent: Int) -> Bool { isLayer && chance(percent) }
        if !isLayer || chance(40) { fields.append(("command", .list([.plain("./\(name)")] + some([text()], 30)))) }
        if says(25) { fields.append(("args", nothing(20) ? .plain("null") : .list(some([text(), text()], 60)))) }
        if says(20) { fields.append(("workdir", .plain(pick("bin", "/srv", "../w", "\"a b\"")))) }
        if !isLayer || chance(40) { fields.append(("ports", nothing(10) ? .plain("null") : ports(isLayer))) }
        if says(60) { fields.append(("env", nothing(10) ? .plain("null") : environment(name, isLayer))) }
        if says(25) { fields.append(("secrets", secrets(name, isLayer))) }
        if says(25) { fields.append(("volumes", volumes(isLayer))) }
        if says(25) { fields.append(("probes", probes(isLayer))) }
        if says(15) { fields.append(("init", initialiser())) }
        if says(15) { fields.append(("stopSignal", .plain(pick("TERM", "SIGINT", "15")))) }
        if says(15) { fields.append(("stopGraceSeconds", .plain(pick("3", "0.5", "1e1")))) }
        if says(15) { fields.append(("restart", .plain(pick("always", "onFailure", "never")))) }
        if says(10) { fields.append(("expose", .plain(pick("true", "false", isLayer ? "null" : "true")))) }
        if says(10) { fields.append(("user", .plain(pick("app", "1000", "\"1000\"")))) }
        if says(10) { fields.append(("build", .list([.plain("make"), text()]))) }
        if says(10) { fields.append(("activation", .plain(pick("auto", "eager", isLayer ? "auto" : "onDemand")))) }
        if name == "web", says(40) { fields.append(("dependsOn", dependencies())) }
        return .map(fields.shuffled(using: &random))
    }

    private mutating func dependencies() -> Node {
        .list([
            chance(50) ? .plain("api") : .map([("service", .plain("api")), ("condition", .plain("started"))])
        ])
    }

    private mutating func ports(_ isLayer: Bool) -> Node {
        var items: [Node] = [pick(.plain("\"8080\""), .plain("8080"), .plain("8080/http"), .plain("\"18080:8080\""))]
        if chance(30) {
            items.append(.map([("name", .plain("admin")), ("containerPort", .plain(pick("9090", "\"9090\"")))]))
        }
        if chance(20) { items.append(.map([("containerPort", .plain("5432")), ("protocol", .plain("tcp"))])) }
        if isLayer, chance(20) { items = [.map([("name", .plain("admin")), ("remove", .plain("true"))])] }
        return .list(items.shuffled(using: &random))
    }

    private mutating func environment(_ name: String, _ isLayer: Bool) -> Node {
        let others = services.filter { $0 < name }
        var all: [(key: String, value: Node)] = [
            ("LOG", text()), ("A.B", text()), ("remove", .plain("true")), ("PORT_", .plain(pick("1", "0x10", "1.50"))),
            ("YES", .plain(pick("true", "no", "~", "''"))),
        ]
        for other in others {
            all.append(
                ("\(other.uppercased())_URL", .plain(pick("${services.\(other).url}", "\"http://\(other):8080\""))))
        }
        return .map(
            some(all, 40).map { key, value in isLayer && chance(20) ? (key, .plain("null")) : (key, value) })
    }

    private mutating func secrets(_ name: String, _ isLayer: Bool) -> Node {
        if isLayer, chance(10) { return .list([.map([("name", .plain("token")), ("remove", .plain("true"))])]) }
        let value: Node = pick(
            .plain("auto-generated"), .map([("fromEnv", .plain("TOKEN"))]), .map([("fromFile", .plain("./token.txt"))]),
            .plain("hunter2"))
        return .list([
            .map([("name", .plain("\(name)-token")), ("envKey", .plain("TOKEN")), ("value", value)])
        ])
    }

    private mutating func volumes(_ isLayer: Bool) -> Node {
        if isLayer, chance(15) { return .list([.map([("name", .plain("data")), ("remove", .plain("true"))])]) }
        var items: [Node] = [.map([("name", .plain("data")), ("mountPath", .plain("/data"))])]
        if chance(40) {
            items.append(
                .map([
                    ("name", .plain("h")), ("mountPath", .plain(pick("./h", "/h"))), ("type", .plain("host")),
                    ("size", .plain(pick("1Gi", "1024Mi"))),
                ]))
        }
        return .list(items)
    }

    private mutating func probes(_ isLayer: Bool) -> Node {
        if isLayer, chance(20) { return .map([("readiness", .plain("null"))]) }
        let check: (key: String, value: Node) = pick(
            ("http", .map([("path", .plain("/healthz"))])), ("tcp", .map([])), ("http", .map([])),
            ("log", .map([("pattern", .plain("\"ready: .*\""))])), ("exec", .map([("command", .list([.plain("./c")]))]))
        )
        return .map([("readiness", .map([check] + some([("periodSeconds", .plain("2"))], 40)))])
    }

    private mutating func initialiser() -> Node {
        let sql: Node = .map([
            ("type", .plain("sql")), ("script", .plain("sql/a.sql")),
            ("password", .plain(pick("pw", "${secrets.db-token}"))),
        ])
        let http: Node = .map([("type", .plain("http")), ("request", .map([("path", .plain("/setup"))]))])
        return pick(
            http, .list([http]), .map([("type", .plain("command")), ("command", .list([.plain("./seed")]))]), sql)
    }

    /// Text that is hard to write and to read back.
    private mutating func text() -> Node {
        .plain(
            pick(
                "info", "debug", "'1'", "\"true\"", "'null'", "\"a: b\"", "\"x # y\"", "'- z'", "\"\\\"q\\\"\"",
                "'it''s'",
                "\"two\\nlines\"", "\"\\ttab \"", "''", "\"é ü 日本\"", "\"\\u2028\\x07\"", "\"{}\"", "'[1]'", "\"@x\"",
                "'*a'", "\"~\"", "a-b_c.d", "\"$${x}\"", "'!t'", "\"%\"", "0o17", "'0x1F'", "1e3", "\".5\"", "on",
                "'...'"))
    }

    // MARK: Writing

    private mutating func written(_ root: Node) -> String {
        guard case .map(let fields) = root else { return "" }
        return fields.map { entry(entry: $0, 0) }.joined()
    }

    private mutating func entry(entry: (key: String, value: Node), _ indent: Int) -> String {
        let head = String(repeating: " ", count: indent) + (chance(5) ? "\"\(entry.key)\"" : entry.key) + ":"
        if case .plain(let text) = entry.value { return head + " " + text + (chance(5) ? " # why\n" : "\n") }
        if isEmpty(entry.value) || indent > 0 && chance(35) { return head + " " + flow(entry.value) + "\n" }
        switch entry.value {
        case .plain: return ""
        case .map(let fields): return head + "\n" + fields.map { self.entry(entry: $0, indent + 2) }.joined()
        case .list(let items): return head + "\n" + items.map { item($0, indent + 2) }.joined()
        }
    }

    private mutating func item(_ node: Node, _ indent: Int) -> String {
        let head = String(repeating: " ", count: indent) + "- "
        guard case .map(let fields) = node, !fields.isEmpty, chance(60) else { return head + flow(node) + "\n" }
        let text = fields.map { entry(entry: $0, indent + 2) }.joined()
        return head + text.dropFirst(indent + 2)
    }

    private mutating func flow(_ node: Node) -> String {
        switch node {
        // In flow style, brackets, braces and commas end plain text.
        case .plain(let text):
            let isPlain = text.first != "\"" && text.first != "'"
            return isPlain && text.contains { "{}[],".contains($0) } ? "\"\(text)\"" : text
        case .list(let items):
            return "[" + items.map { flow($0) }.joined(separator: ", ") + "]"
        case .map(let fields):
            return "{" + fields.map { "\($0.key): \(flow($0.value))" }.joined(separator: ", ") + "}"
        }
    }

    private func isEmpty(_ node: Node) -> Bool {
        switch node {
        case .plain: false
        case .list(let items): items.isEmpty
        case .map(let fields): fields.isEmpty
        }
    }
}

/// Random located trees without a text, for laws that need very many: each value has a place of its own.
struct RandomTrees {
    var random: SeededRandom
    private var line = 0
    private var file = SourceFile(name: "", folder: "/")

    init(seed: UInt64) { random = SeededRandom(state: seed) }

    /// The root of a layer's canonical tree.
    mutating func layer(_ name: String) -> LocatedValue {
        file.name = name
        line = 0
        return value(.root, depth: 0)
    }

    private mutating func chance(_ percent: Int) -> Bool { Int.random(in: 0..<100, using: &random) < percent }

    private mutating func made(_ content: LocatedValue.Content) -> LocatedValue {
        line += 1
        return LocatedValue(content, at: SourceLocation(file: file, line: line, column: 1))
    }

    private mutating func value(_ place: CompositionPlace, depth: Int) -> LocatedValue {
        let dice = Int.random(in: 0..<100, using: &random)
        switch place {
        case .root: return mapping(["services", "env", "x"], place, depth)
        case .services, .namedThings:
            if dice < 6 { return made(.null) }
            if dice < 10 { return made(.scalar("odd", .text)) }
            let names = ["a", "b", "c"].shuffled(using: &random).prefix(Int.random(in: 0...3, using: &random))
            return made(.sequence(names.map { thing($0, place.item, depth + 1) }))
        case .service: return mapping(["ports", "env", "command"], place, depth)
        case .namedThing: return mapping(["p", "remove"], place, depth)
        case .plain:
            if dice < 15 || depth > 6 { return made(.null) }
            if dice < 40 { return made(.scalar(dice % 2 == 0 ? "1" : "2", .integer)) }
            if dice < 50 { return made(.scalar("true", .boolean)) }
            if dice < 65 { return made(.sequence((0..<(dice % 3)).map { _ in value(.plain, depth: depth + 2) })) }
            return mapping(["k", "l", "remove"], place, depth)
        }
    }

    private mutating func thing(_ name: String, _ place: CompositionPlace, _ depth: Int) -> LocatedValue {
        let key = LocatedValue.Entry(key: "name", location: made(.null).location, value: made(.scalar(name, .text)))
        if chance(12) {
            let remove = LocatedValue.Entry(
                key: "remove", location: made(.null).location, value: made(.scalar("true", .boolean)))
            return made(.mapping([key, remove]))
        }
        return made(.mapping([key] + value(place, depth: depth).entries))
    }

    private mutating func mapping(_ keys: [String], _ place: CompositionPlace, _ depth: Int) -> LocatedValue {
        var entries: [LocatedValue.Entry] = []
        for key in keys where chance(55) {
            let value = value(place.below(key), depth: depth + 1)
            entries.append(.init(key: key, location: made(.null).location, value: value))
        }
        return made(.mapping(entries.shuffled(using: &random)))
    }
}
