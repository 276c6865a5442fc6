/// A YAML value that knows where it was written and which values it overrode.
package struct LocatedValue: Sendable, Hashable {
    package enum ScalarKind: String, Sendable, Hashable, Codable {
        case text, integer, number, boolean
    }

    package enum Content: Sendable, Hashable {
        /// In a layer: removes the field.
        case null
        /// The text as written; the kind is what YAML's core schema takes plain text for.
        case scalar(String, ScalarKind)
        case sequence([LocatedValue])
        /// In the order written; keys are unique.
        case mapping([Entry])
    }

    package struct Entry: Sendable, Hashable {
        package var key: String
        /// Of the key.
        package var location: SourceLocation
        package var value: LocatedValue
    }

    /// What stood at the same place in a lower layer.
    package struct Overridden: Sendable, Hashable {
        package enum Kind: String, Sendable, Hashable, Codable {
            /// A scalar or plain list, which was replaced; the text shows it.
            case value
            /// A map or list of named things, which was merged with or replaced; the text is empty.
            case container
            /// A `null` or `remove: true`; the text is empty.
            case removal
        }

        package var text: String
        package var location: SourceLocation
        package var kind = Kind.value
        package var filledIn: FilledIn?
    }

    /// Why a value is there that nobody wrote.
    package enum FilledIn: String, Sendable, Hashable, Codable {
        /// A port without a name got the name that it has by default.
        case portName
        /// What a well-known image needs and nobody said.
        case wellKnown
    }

    package var content: Content
    package var location: SourceLocation
    /// The latest first.
    package var overrode: [Overridden] = []
    /// `nil` for what is written at ``location``; else the location is what it was filled in for.
    package var filledIn: FilledIn?
    /// Set by composing where this value took the place of one that it could not be merged with, so that what lies
    /// still lower is not merged with it either. Without this, composing would not be associative.
    package var replacesLower = false

    package init(_ content: Content, at location: SourceLocation) {
        self.content = content
        self.location = location
    }
}

extension LocatedValue {
    package var entries: [Entry] { if case .mapping(let entries) = content { entries } else { [] } }
    package var items: [LocatedValue] { if case .sequence(let items) = content { items } else { [] } }
    package var isNull: Bool { content == .null }
    /// The text of a scalar.
    package var text: String? { if case .scalar(let text, _) = content { text } else { nil } }

    package func entry(_ key: String) -> Entry? { entries.first { $0.key == key } }
    package subscript(_ key: String) -> LocatedValue? { entry(key)?.value }

    /// The value at a path; items of lists of named things by their names, of other lists by number from 0.
    package func value(at path: some Collection<String>) -> LocatedValue? {
        guard let key = path.first else { return self }
        let next: LocatedValue?
        switch content {
        case .mapping: next = self[key]
        case .sequence(let items):
            next = items.first { $0.name == key } ?? Int(key).flatMap { items.indices.contains($0) ? items[$0] : nil }
        case .null, .scalar: next = nil
        }
        return next?.value(at: path.dropFirst())
    }

    /// What `name` says, for an item of a list of named things.
    var name: String? { self["name"]?.text }

    /// `{name: x, remove: true}`.
    var isRemoval: Bool { self["remove"]?.content == .scalar("true", .boolean) }

    /// How messages call this kind of value.
    var kindName: String {
        switch content {
        case .null: "nothing"
        case .scalar(_, .text): "text"
        case .scalar(_, .integer), .scalar(_, .number): "a number"
        case .scalar(_, .boolean): "true or false"
        case .sequence: "a list"
        case .mapping: "a map"
        }
    }

    /// One line that shows the value, in YAML's flow style; long lists are cut.
    package var shown: String {
        switch content {
        case .null: return "null"
        case .scalar(let text, _): return text
        case .sequence(let items):
            let more = items.count > 8 ? ", …" : ""
            return "[" + items.prefix(8).map(\.shown).joined(separator: ", ") + more + "]"
        case .mapping(let entries):
            let more = entries.count > 8 ? ", …" : ""
            return "{" + entries.prefix(8).map { "\($0.key): \($0.value.shown)" }.joined(separator: ", ") + more + "}"
        }
    }
}
