import Blueprints

/// Makes an input of a seed: a Blueprint by the grammar with wrong values among the right ones, a mutated file, YAML
/// that nobody means well with, or noise.
struct FuzzedText {
    private var random: SeededRandom
    /// What is mutated: Blueprints and Compose files.
    static let corpus: [[UInt8]] = [
        NormalFormTests.everything, CompositionTests.parentText, FuzzCorpus.compose, FuzzCorpus.commented,
    ].map { Array($0.utf8) }

    init(seed: UInt64) {
        random = SeededRandom(state: seed &* 0x9E37_79B9_7F4A_7C15 &+ 0x1234_5678)
        _ = random.next()
    }

    func bytes() -> [UInt8] {
        var copy = self
        return copy.make()
    }

    private mutating func make() -> [UInt8] {
        switch below(20) {
        case 0..<8: return Array(blueprint().utf8)
        case 8..<10: return mutated(Array(blueprint().utf8))
        case 10..<17: return mutated(Self.corpus[below(Self.corpus.count)])
        case 17: return Array(bomb().utf8)
        case 18: return mutated(Array(bomb().utf8))
        default: return noise()
        }
    }

    private mutating func below(_ count: Int) -> Int { Int(random.next() % UInt64(max(1, count))) }
    private mutating func chance(_ one: Int) -> Bool { below(one) == 0 }
    private mutating func pick<T>(_ all: [T]) -> T { all[below(all.count)] }

    // MARK: By the grammar

    private mutating func blueprint() -> String {
        let style = below(3)
        let value = map(Grammar.root, depth: 0)
        return style == 0 ? value.flow() : value.block(0, style == 1)
    }

    private mutating func map(_ grammar: GrammarMap, depth: Int) -> FuzzNode {
        var entries: [(String, FuzzNode)] = []
        let likely = ["name", "services", "command", "ports", "env", "mountPath", "envKey", "value"]
        for field in grammar.fields {
            let isLikely = field.isRequired || likely.contains(field.name)
            guard isLikely ? !chance(12) : chance(depth == 0 ? 6 : 5) else { continue }
            entries.append((field.name, value(field.shape, depth: depth + 1)))
        }
        if chance(25) { entries.append((pick(FuzzCorpus.words), wild(depth: depth + 1))) }
        if chance(8), entries.count > 1 { entries.swapAt(0, entries.count - 1) }
        if entries.isEmpty, chance(2) { return .plain("{}") }
        return .map(entries)
    }

    private mutating func value(_ shape: GrammarShape, depth: Int) -> FuzzNode {
        if depth > 9 || chance(30) { return wild(depth: depth) }
        if chance(40) { return .plain("null") }
        switch shape {
        case .text(_, let examples):
            if !examples.isEmpty, chance(3) { return .quoted(pick(examples)) }
            return text()
        case .choice(let all): return .plain(chance(10) ? pick(FuzzCorpus.words) : pick(all))
        case .boolean: return .plain(pick(["true", "false", "yes", "True"]))
        case .whole(let range):
            return .plain(pick(["\(range.lowerBound)", "\(range.upperBound)", "1", "8080", "0x10", "-1"]))
        case .number(let range): return .plain(pick(["\(range.lowerBound)", "\(range.upperBound)", "1e3", ".5", "2"]))
        case .list(let item):
            return .list((0..<below(4)).map { _ in value(item, depth: depth + 1) })
        case .map(let item):
            return .map((0..<below(4)).map { _ in (pick(FuzzCorpus.words), value(item, depth: depth + 1)) })
        case .fields(let inner): return map(inner, depth: depth)
        case .named(let inner, let short, let asMap):
            let count = 1 + below(4)
            if asMap, chance(2) {
                return .map((0..<count).map { _ in (pick(FuzzCorpus.names), map(inner, depth: depth + 1)) })
            }
            return .list(
                (0..<count).map { _ in
                    if let short, chance(2) { return value(short, depth: depth + 1) }
                    return map(inner, depth: depth + 1)
                })
        case .oneOf(let all): return value(pick(all), depth: depth)
        case .anyMap: return wild(depth: depth)
        }
    }

    private mutating func text() -> FuzzNode {
        switch below(6) {
        case 0: return .plain(pick(FuzzCorpus.names))
        case 1: return .quoted(pick(FuzzCorpus.words) + pick(FuzzCorpus.names))
        case 2:
            return .quoted("${services.\(pick(FuzzCorpus.names)).\(pick(["host", "url", "address", "port", "prot"]))}")
        case 3:
            return .quoted(
                pick(["//", "@", "jdbc:x://", "host=", ""]) + pick(FuzzCorpus.names) + pick([":5432", "/x", ""]))
        case 4: return .block(pick(FuzzCorpus.words) + "\n  # no comment\n\n" + pick(FuzzCorpus.words))
        default: return .plain(pick(FuzzCorpus.names))
        }
    }

    private mutating func wild(depth: Int) -> FuzzNode {
        switch below(depth > 12 ? 3 : 6) {
        case 0:
            return .plain(pick(["~", "true", "0", "1.5", "[]", "{}", "!!str x", "!x y", "&a b", "''", "2024-01-01"]))
        case 1: return .quoted(pick(FuzzCorpus.words))
        case 2: return .plain(pick(FuzzCorpus.names))
        case 3: return .list((0..<below(3)).map { _ in wild(depth: depth + 1) })
        default: return .map((0..<below(3)).map { _ in (pick(FuzzCorpus.words), wild(depth: depth + 1)) })
        }
    }

    // MARK: Not by the grammar

    private mutating func mutated(_ bytes: [UInt8]) -> [UInt8] {
        var bytes = bytes
        for _ in 0..<(1 + below(6)) where !bytes.isEmpty {
            let index = below(bytes.count)
            let end = min(bytes.count, index + 1 + below(40))
            switch below(7) {
            case 0: bytes[index] = UInt8(below(256))
            case 1: bytes.remove(at: index)
            case 2: bytes.insert(contentsOf: pick(FuzzCorpus.pieces).utf8, at: index)
            case 3: bytes.insert(contentsOf: Array(bytes[index..<end]), at: below(bytes.count + 1))
            case 4: bytes.removeSubrange(index..<end)
            case 5:
                // A line elsewhere, or more indented.
                let start = (bytes[..<index].lastIndex(of: 0x0A) ?? -1) + 1
                bytes.insert(contentsOf: [UInt8](repeating: 0x20, count: below(5)), at: start)
            default:
                let other = Self.corpus[below(Self.corpus.count)]
                let from = below(other.count)
                bytes.insert(contentsOf: other[from..<min(other.count, from + below(200))], at: index)
            }
        }
        return Array(bytes.prefix(65_536))
    }

    private mutating func bomb() -> String {
        let count = 1 + below(60)
        switch below(13) {
        case 0:
            return "a0: &a0 [x, x]\n"
                + (1...count).map { "a\($0): &a\($0) [*a\($0 - 1), *a\($0 - 1), *a\($0 - 1)]\n" }.joined()
        case 1:
            return "a0: &a0 {x: 1}\n"
                + (1...count).map { "a\($0): &a\($0) {<<: [*a\($0 - 1), *a\($0 - 1)], k\($0): *a\($0 - 1)}\n" }.joined()
        case 2: return String(repeating: pick(["[", "{a: ", "- ", "? ", "a:\n "]), count: count * 400)
        case 3: return "name: x\nservices:\n  a:\n    env: {A: \"" + String(repeating: "${", count: count * 300) + "\"}"
        case 4:
            let all = String(repeating: pick(["@a:80,", "//b:5432/", "a:80 ", "a."]), count: count * 100)
            return "name: x\nservices:\n  a: {image: x}\n  b: {image: y, env: {A: '\(all)'}}"
        case 5:
            return "name: x\nservices:\n"
                + (0..<count * 10).map {
                    "  s\($0): {command: [a], env: {A: \"${services.s\(($0 + 1) % (count * 10)).url}\"}}\n"
                }
                .joined()
        case 6:
            return "services:\n  a:\n    environment:\n      A: \"" + String(repeating: "${A:-", count: count * 100)
                + "\""
        case 7:
            return String(repeating: "# a comment\n", count: count * 50) + "name: x # y\n"
                + String(repeating: "\n", count: count)
        case 8:
            return "services: {a: {image: x, ports: ["
                + (0..<count * 16).map { "\"\($0 * 60 + 1)-\($0 * 60 + 60)\"" }.joined(separator: ", ") + "]}}"
        case 9:
            return "services: {a: {image: x, environment: {"
                + (0..<count * 30).map { "A_PW\($0): \"${A_PW\($0)}\"" }.joined(separator: ", ") + "}}}"
        case 10: return "a: [" + (0..<count * 150).map { _ in "\" # x\"" }.joined(separator: ", ") + "] # y\nname: z\n"
        case 11:
            let many = (0..<count * 70).map { "\($0)" }.joined(separator: ",")
            return
                "services: {a: {image: x, expose: [\(many)]}, b: {extends: a, expose: [\(many)], environment: [A=b,\(many)]}}"
        default:
            return "services:\n" + (0..<count).map { "  s\($0): {extends: s\($0 + 1), image: x}\n" }.joined()
                + "  s\(count): {extends: s0}\n"
        }
    }

    private mutating func noise() -> [UInt8] {
        let alphabet = Array("{}[]:,-?&*!|>'\"%@`#~ \n\t\u{0}aé$<=\r".utf8) + [0xFF, 0xC3, 0xE2, 0x80, 0xA8]
        return (0..<below(200)).map { _ in pick(alphabet) }
    }
}

/// A tree that is written as YAML.
indirect enum FuzzNode {
    case plain(String)
    case quoted(String)
    case block(String)
    case list([FuzzNode])
    case map([(String, FuzzNode)])

    func flow() -> String {
        switch self {
        case .plain(let text): return text
        case .quoted(let text), .block(let text):
            return "\"" + text.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"").replacing("\n", with: "\\n")
                + "\""
        case .list(let items): return "[" + items.map { $0.flow() }.joined(separator: ", ") + "]"
        case .map(let entries): return "{" + entries.map { "\($0.0): \($0.1.flow())" }.joined(separator: ", ") + "}"
        }
    }

    /// With comments in many places.
    func block(_ indent: Int, _ hasComments: Bool) -> String {
        let space = String(repeating: " ", count: indent)
        var lines = ""
        switch self {
        case .map(let entries) where !entries.isEmpty:
            for (index, (key, value)) in entries.enumerated() {
                if hasComments, index % 3 == 1 { lines += "\(space)# before \(key)\n" }
                if hasComments, index % 4 == 2 { lines += "\n" }
                lines += "\(space)\(key):" + value.after(indent, hasComments)
            }
            if hasComments, entries.count % 3 == 2 { lines += "\(space)# at the end\n" }
        case .list(let items) where !items.isEmpty:
            for item in items {
                if case .map(let entries) = item, !entries.isEmpty {
                    let inner = item.block(indent + 2, false)
                    lines += "\(space)- " + inner.dropFirst(indent + 2)
                } else {
                    lines += "\(space)- \(item.flow())\(hasComments ? "  # an item" : "")\n"
                }
            }
        default: lines += "\(space)\(flow())\n"
        }
        return lines
    }

    private func after(_ indent: Int, _ hasComments: Bool) -> String {
        switch self {
        case .map(let entries) where !entries.isEmpty && entries.count != 3:
            return (hasComments ? " # of a map\n" : "\n") + block(indent + 2 + entries.count % 2 * 2, hasComments)
        case .list(let items) where !items.isEmpty && items.count != 3:
            return "\n" + block(items.count == 1 ? indent : indent + 2, hasComments)
        case .block(let text):
            let space = String(repeating: " ", count: indent + 4)
            return " |\n"
                + text.split(separator: "\n", omittingEmptySubsequences: false).map { space + $0 + "\n" }.joined()
        default: return " \(flow())\(hasComments ? " # and why" : "")\n"
        }
    }
}
