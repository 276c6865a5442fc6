/// A value of a YAML or JSON document that knows where it was written.
///
/// A class, so that an alias or a `$ref` is the same node wherever it is used: who it is, is what a comparison of
/// recursive schemas remembers.
final class Node: Sendable {
    enum ScalarKind: Sendable { case text, number, boolean }

    struct Entry: Sendable {
        var key: String
        /// Of the key.
        var spot: Spot
        var value: Node
    }

    enum Content: Sendable {
        case null
        case scalar(String, ScalarKind)
        case sequence([Node])
        /// In the order written; keys are unique.
        case mapping([Entry])
    }

    let content: Content
    let spot: Spot
    /// Of maps that are too long to be looked through.
    private let index: [String: Int]?

    init(_ content: Content, at spot: Spot) {
        self.content = content
        self.spot = spot
        if case .mapping(let entries) = content, entries.count > 8 {
            index = Dictionary(entries.enumerated().map { ($1.key, $0) }, uniquingKeysWith: { first, _ in first })
        } else {
            index = nil
        }
    }

    func entry(_ key: String) -> Entry? {
        guard case .mapping(let entries) = content else { return nil }
        if let index { return index[key].map { entries[$0] } }
        return entries.first { $0.key == key }
    }

    subscript(_ key: String) -> Node? { entry(key)?.value }

    var entries: [Entry] { if case .mapping(let entries) = content { entries } else { [] } }
    var items: [Node] { if case .sequence(let items) = content { items } else { [] } }
    var isMapping: Bool { if case .mapping = content { true } else { false } }
    var isSequence: Bool { if case .sequence = content { true } else { false } }
    /// Of a scalar, as written.
    var text: String? { if case .scalar(let text, _) = content { text } else { nil } }
    var isTrue: Bool { if case .scalar("true", .boolean) = content { true } else { false } }
    var isFalse: Bool { if case .scalar("false", .boolean) = content { true } else { false } }
    var number: Double? { if case .scalar(let text, .number) = content { PlainValue.double(text) } else { nil } }

    /// Equal for equal values, whatever their spelling and the order of keys; as an enumerated value is shown in a
    /// message. `nil` for what is nested deeper than enumerated values are.
    func canonical(depth: Int = 8) -> String? {
        switch content {
        case .null: return "null"
        case .scalar(let text, .text): return "\"\(text)\""
        case .scalar(let text, .boolean): return text
        case .scalar(let text, .number):
            return PlainValue.double(text).map { $0 == $0.rounded() && abs($0) < 1e15 ? String(Int($0)) : "\($0)" }
                ?? text
        case .sequence(let items):
            guard depth > 0 else { return nil }
            let all = items.compactMap { $0.canonical(depth: depth - 1) }
            return all.count == items.count ? "[" + all.joined(separator: ",") + "]" : nil
        case .mapping(let entries):
            guard depth > 0 else { return nil }
            var all: [String] = []
            for entry in entries {
                guard let value = entry.value.canonical(depth: depth - 1) else { return nil }
                all.append("\"\(entry.key)\":\(value)")
            }
            return "{" + all.sorted().joined(separator: ",") + "}"
        }
    }

    /// How messages call this kind of value.
    var kindName: String {
        switch content {
        case .null: "nothing"
        case .scalar(_, .text): "text"
        case .scalar(_, .number): "a number"
        case .scalar(_, .boolean): "true or false"
        case .sequence: "a list"
        case .mapping: "a map"
        }
    }
}

extension Node {
    /// Reads JSON where the text begins as JSON does and is JSON, else YAML: JSON is nearly, not quite, a part of YAML
    /// (long keys, escapes of characters outside the basic plane, tabs).
    static func read(_ bytes: [UInt8], _ problems: inout Problems) -> Node? {
        guard bytes.prefix(2) != [0xFF, 0xFE], bytes.prefix(2) != [0xFE, 0xFF] else {
            problems.error("not_utf8", "the file is UTF-16; contracts are UTF-8")
            return nil
        }
        let text = bytes.prefix(3) == [0xEF, 0xBB, 0xBF] ? Array(bytes.dropFirst(3)) : bytes
        guard String(validating: text, as: UTF8.self) != nil else {
            problems.error("not_utf8", "the file is not UTF-8")
            return nil
        }
        let first = text.first { !($0 == 0x20 || (0x09...0x0D).contains($0)) }
        if first == UInt8(ascii: "{") {
            switch JSONTree.read(text) {
            case .success(let node): return node
            case .failure(let failure):
                // Flow-style YAML begins like JSON; what is wrong with neither is told by the one that its keys look like.
                var attempt = problems
                if let node = YAMLTree.read(text, &attempt) {
                    problems = attempt
                    return node
                }
                problems.error(failure.code, failure.message, at: failure.spot)
                return nil
            }
        }
        return YAMLTree.read(text, &problems)
    }
}
