/// Where a value of a composed Blueprint comes from.
package struct Explanation: Sendable, Hashable {
    /// A value that was in force in a lower layer.
    package struct Overridden: Sendable, Hashable, Codable {
        package var value: String
        package var file: String
        package var line: Int
        package var column: Int
    }

    /// `services.api.env.DATABASE_URL`.
    package var path: String
    package var value: String
    package var file: String
    package var line: Int
    package var column: Int
    /// The latest first.
    package var overridden: [Overridden]
}

extension Explanation: Codable {}

extension BlueprintDocument {
    /// Explains the value at the path, or every value below it. Services and other named things are addressed by name,
    /// items of other lists by number from 0. Empty where there is nothing. Literal secrets and passwords are not shown.
    package func explain(_ path: String) -> [Explanation] {
        let parts = path.isEmpty ? [] : path.split(separator: ".", omittingEmptySubsequences: false).map(String.init)
        guard let (value, place) = Self.find(parts[...], in: value, below: [], .anywhere) else { return [] }
        var result: [Explanation] = []
        Self.collect(value, path: path, place, into: &result)
        return result
    }

    /// Where a value stands, as far as it matters for what may be shown.
    private enum Place {
        case anywhere
        case secrets
        case initialisers
        /// The `value` of a secret, or the `password` of an initialiser.
        case hidden

        func below(_ key: String, isField: Bool) -> Place {
            switch self {
            case .secrets: key == "value" ? .hidden : self
            case .initialisers: key == "password" ? .hidden : self
            case .anywhere where isField && key == "secrets": .secrets
            case .anywhere where isField && key == "init": .initialisers
            case .anywhere, .hidden: self
            }
        }
    }

    /// Keys may have dots of their own, so the longest key that fits is tried first.
    private static func find(
        _ parts: ArraySlice<String>, in value: LocatedValue, below: [String], _ place: Place
    ) -> (LocatedValue, Place)? {
        guard !parts.isEmpty else { return (value, place) }
        let count = min(parts.count, 16)
        for length in stride(from: count, through: 1, by: -1) {
            let key = parts.prefix(length).joined(separator: ".")
            let next: LocatedValue?
            switch value.content {
            case .mapping: next = value[key]
            case .sequence(let items):
                next =
                    items.first { $0.name == key } ?? Int(key).flatMap { items.indices.contains($0) ? items[$0] : nil }
            case .null, .scalar: next = nil
            }
            guard let next else { continue }
            // The fields of a service: services, its name, the field.
            let inside = place.below(key, isField: below.count == 2)
            if let found = find(parts.dropFirst(length), in: next, below: below + [key], inside) { return found }
        }
        return nil
    }

    private static func collect(_ value: LocatedValue, path: String, _ place: Place, into result: inout [Explanation]) {
        func below(_ key: String) -> String { path.isEmpty ? key : "\(path).\(key)" }
        switch value.content {
        case .mapping(let entries):
            for entry in entries {
                collect(entry.value, path: below(entry.key), place.below(entry.key, isField: true), into: &result)
            }
        case .sequence(let items) where items.contains { $0.name != nil }:
            for (index, item) in items.enumerated() {
                collect(item, path: below(item.name ?? "\(index)"), place, into: &result)
            }
        case .null, .scalar, .sequence:
            result.append(
                Explanation(
                    path: path, value: concealed(value, place).shown, file: value.location.file.name,
                    line: value.location.line, column: value.location.column,
                    overridden: value.overrode.map {
                        .init(
                            value: concealed($0.text, place), file: $0.location.file.name, line: $0.location.line,
                            column: $0.location.column)
                    }))
        }
    }

    /// The same without what must not be shown, wherever in it that is.
    private static func concealed(_ value: LocatedValue, _ place: Place) -> LocatedValue {
        var result = value
        switch value.content {
        case .null: break
        case .scalar(let text, let kind):
            if place == .hidden { result.content = .scalar(concealed(text, place), kind) }
        case .sequence(let items): result.content = .sequence(items.map { concealed($0, place) })
        case .mapping(let entries):
            result.content = .mapping(
                entries.map { entry in
                    var entry = entry
                    entry.value = concealed(entry.value, place.below(entry.key, isField: false))
                    return entry
                })
        }
        return result
    }

    /// The text of a value, or one line of a list's old value.
    private static func concealed(_ text: String, _ place: Place) -> String {
        switch place {
        case .anywhere: text
        case .hidden: text == "auto-generated" || isReference(text) ? text : "(secret)"
        case .initialisers: text.contains("password: ") ? "(secret)" : text
        case .secrets: text.contains("value: ") ? "(secret)" : text
        }
    }

    /// Whether the text is one reference, such as `${secrets.db-password}`, and holds nothing itself.
    private static func isReference(_ text: String) -> Bool {
        text.hasPrefix("${") && text.firstIndex(of: "}") == text.indices.last
    }
}
