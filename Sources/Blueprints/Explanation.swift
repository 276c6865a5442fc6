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
        guard let (value, place) = Self.find(parts[...], in: value, .root) else { return [] }
        var result: [Explanation] = []
        Self.collect(value, path: path, place, into: &result)
        return result
    }

    /// Keys may have dots of their own, so the longest key that fits is tried first.
    private static func find(
        _ parts: ArraySlice<String>, in value: LocatedValue, _ place: SecretPlace
    ) -> (LocatedValue, SecretPlace)? {
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
            var inside = place.item
            if case .mapping = value.content { inside = place.below(key) }
            if let found = find(parts.dropFirst(length), in: next, inside) { return found }
        }
        return nil
    }

    private static func collect(
        _ value: LocatedValue, path: String, _ place: SecretPlace, into result: inout [Explanation]
    ) {
        func below(_ key: String) -> String { path.isEmpty ? key : "\(path).\(key)" }
        switch value.content {
        case .mapping(let entries):
            for entry in entries {
                collect(entry.value, path: below(entry.key), place.below(entry.key), into: &result)
            }
        case .sequence(let items) where items.contains { $0.name != nil }:
            for (index, item) in items.enumerated() {
                collect(item, path: below(item.name ?? "\(index)"), place.item, into: &result)
            }
        case .null, .scalar, .sequence:
            result.append(
                Explanation(
                    path: path, value: place.concealed(value).shown, file: value.location.file.name,
                    line: value.location.line, column: value.location.column,
                    overridden: value.overrode.map {
                        .init(
                            value: place.concealed($0.text), file: $0.location.file.name, line: $0.location.line,
                            column: $0.location.column)
                    }))
        }
    }
}
