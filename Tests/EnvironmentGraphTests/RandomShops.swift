import Blueprints

/// SplitMix64; the same seed gives the same numbers.
struct SeededRandom: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }

    mutating func chance(_ percent: Int) -> Bool { Int.random(in: 0..<100, using: &self) < percent }

    mutating func pick<T>(_ values: [T]) -> T { values[Int.random(in: 0..<values.count, using: &self)] }
}

/// Random Blueprints as texts: of a baseline, of a later revision of it, and of an overlay on it. All from one small world of names
/// and values, so that they meet often.
enum RandomShops {
    static let names = ["web", "orders", "payments", "orders-db", "cache"]

    /// Every service in full.
    static func baseline(_ random: inout SeededRandom) -> String {
        let services = names.filter { _ in random.chance(85) }
        return "name: shop\nservices:\n"
            + (services.isEmpty ? ["web"] : services).map {
                "- name: \($0)\n  command: [\($0)]\n" + fields(&random, 45)
            }
            .joined()
    }

    /// Partial services, removed ones, new ones.
    static func overlay(_ random: inout SeededRandom, on parent: Set<String>) -> String {
        var text = "name: feat\nservices:\n"
        var isEmpty = true
        for name in names where random.chance(60) {
            isEmpty = false
            if parent.contains(name) {
                if random.chance(15) {
                    text += "- {name: \(name), remove: true}\n"
                } else {
                    text +=
                        "- name: \(name)\n" + (random.chance(30) ? "  command: [other]\n" : "")
                        + fields(&random, 25, removes: true)
                }
            } else {
                text += "- name: \(name)\n  command: [mine]\n" + fields(&random, 40)
            }
        }
        return isEmpty ? "name: feat\nservices: []\n" : text
    }

    private static func fields(_ random: inout SeededRandom, _ percent: Int, removes: Bool = false) -> String {
        var text = ""
        func add(_ lines: [String]) { if random.chance(percent) { text += "  " + random.pick(lines) + "\n" } }
        let none = { (key: String) in removes ? ["\(key): null"] : [] }
        add(["replicas: 1", "replicas: 2", "replicas: '2'", "replicas: 3"] + none("replicas"))
        add(
            [
                "env: {A: '1', B: '2'}", "env: {A: '1'}", "env: {B: '3', C: x}", "env: {D: \"a: b, c\"}",
                removes ? "env: {A: null}" : "env: {A: '2'}",
            ] + none("env"))
        add(
            [
                "ports: ['8080']", "ports: [{name: http, containerPort: 8080}]",
                "ports: [{name: admin, containerPort: 9}, {name: http}]", "ports: [{name: tcp, protocol: tcp}]",
                removes ? "ports: [{name: admin, containerPort: 10}]" : "ports: ['80:8080']",
            ] + none("ports"))
        add(["args: [a, b]", "args: ['a, b']", "args: ['']"] + none("args"))
        add(["dependsOn: []", "dependsOn: [\(random.pick(names))]"] + none("dependsOn"))
        add(["init: {type: command, command: [a]}", "init: [{type: command, command: [b]}]"] + none("init"))
        add(["stopGraceSeconds: 10", "stopGraceSeconds: 2.5"] + none("stopGraceSeconds"))
        add(
            [
                "probes: {readiness: {tcp: {port: http}}}", "probes: {readiness: {periodSeconds: 2, tcp: {}}}",
                "probes: {liveness: {log: {pattern: up}}}",
            ] + none("probes"))
        add(["claims: [b, a]", "claims: [a, b]", "claims: [c]"] + none("claims"))
        add(["volumes: [{name: d, mountPath: /d}]", "volumes: [{name: d, mountPath: /e, size: 1024Mi}]"])
        add(["restart: always", "restart: never"])
        add(["expose: false", "stopSignal: SIGINT", "stopSignal: TERM"])
        return text
    }
}
