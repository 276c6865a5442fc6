/// Where a value of a composed Blueprint comes from, or what took it away.
package struct Explanation: Sendable, Hashable {
    /// A value that was in force in a lower layer.
    package struct Overridden: Sendable, Hashable {
        /// Empty where it was a removal or a whole map.
        package var value: String
        /// See ``Explanation/layer``.
        package var layer: String?
        package var file: String
        package var line: Int
        package var column: Int
        package var kind: LocatedValue.Overridden.Kind
    }

    /// The layer of what nobody wrote, and of what well-known images need.
    package static let defaultLayer = "default"
    package static let wellKnownLayer = "well-known"

    /// `services.api.env.DATABASE_URL`.
    package var path: String
    /// Empty for a removal.
    package var value: String
    /// `org@3` for a registered layer, `shop#r12` for a parent environment, ``defaultLayer``, ``wellKnownLayer``; `nil` for
    /// the person's own file, and those that it extends by path.
    package var layer: String?
    /// Of a value that was filled in, the place that it was filled in for; empty where there is none.
    package var file: String
    /// From 1; 0 where there is no file.
    package var line: Int
    package var column: Int
    /// Why it was filled in.
    package var reason: String?
    /// What was there is removed here, by `null` or by `remove: true`.
    package var removal: Removal?
    /// The latest first.
    package var overridden: [Overridden]

    package enum Removal: String, Sendable, Hashable {
        case null, remove
    }
}

extension Explanation {
    init(path: String, value: String, at location: SourceLocation, overridden: [Overridden] = []) {
        self.init(
            path: path, value: value, layer: location.file.origin?.description, file: location.file.name,
            line: location.line, column: location.column, overridden: overridden)
    }

    /// The same where something else than a Blueprint says otherwise.
    package func replaced(by value: String, layer: String, reason: String) -> Explanation {
        let before = Overridden(
            value: self.value, layer: self.layer, file: file, line: line, column: column, kind: .value)
        return Explanation(
            path: path, value: value, layer: layer, file: "", line: 0, column: 0, reason: reason,
            overridden: [before] + overridden)
    }
}

extension BlueprintDocument {
    /// Explains the value at the path, or every value below it, with what was removed there; sorted by path. Services and
    /// other named things are addressed by name, items of other lists by number from 0. Empty where there is nothing.
    /// Literal secrets and passwords are not shown.
    ///
    /// - Parameter spec: what the document was read as, so that defaults are explained, too.
    package func explain(_ path: String, spec: BlueprintSpec? = nil) -> [Explanation] {
        let parts = path.isEmpty ? [] : path.split(separator: ".", omittingEmptySubsequences: false).map(String.init)
        var result: [Explanation] = []
        if let (value, place) = Self.find(parts[...], in: value, .root) {
            Self.collect(value, path: path, place, into: &result)
        }
        result += removals.filter { Self.concerns($0.path.joined(separator: "."), path) }.map(Self.explanation)
        if let spec {
            let known = Set(result.map(\.path))
            result += FilledValues(of: spec, in: value).all.filter { filled in
                Self.isAtOrBelow(filled.path, path) && !known.contains(filled.path)
            }
        }
        return result.sorted { $0.path < $1.path }
    }

    /// What was removed is told where it is asked for, with all around it, and where something within it is.
    private static func concerns(_ removal: String, _ path: String) -> Bool {
        isAtOrBelow(removal, path) || isAtOrBelow(path, removal)
    }

    private static func isAtOrBelow(_ path: String, _ above: String) -> Bool {
        above.isEmpty || path == above || path.hasPrefix(above + ".")
    }

    /// Keys may have dots of their own, so the longest key that fits is tried first.
    private static func find(
        _ parts: ArraySlice<String>, in value: LocatedValue, _ place: SecretPlace
    ) -> (LocatedValue, SecretPlace)? {
        guard !parts.isEmpty else { return (value, place) }
        let count = min(parts.count, 16)
        for length in stride(from: count, through: 1, by: -1) {
            let key = parts.prefix(length).joined(separator: ".")
            guard let next = value.value(at: [key]) else { continue }
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
        case .mapping(let entries) where !entries.isEmpty:
            for entry in entries {
                collect(entry.value, path: below(entry.key), place.below(entry.key), into: &result)
            }
        case .sequence(let items) where items.contains { $0.name != nil }:
            for (index, item) in items.enumerated() {
                collect(item, path: below(item.name ?? "\(index)"), place.item, into: &result)
            }
        case .null, .scalar, .sequence, .mapping:
            var explanation = Explanation(
                path: path, value: place.concealed(value).shown, at: value.location,
                overridden: value.overrode.map { overridden($0, place) })
            if value.filledIn != nil { explanation.file = value.location.file.shown }
            switch value.filledIn {
            case nil: break
            case .portName:
                explanation.layer = Explanation.defaultLayer
                explanation.reason = "a port without a name is called after its protocol, or its number"
            case .wellKnown:
                explanation.layer = Explanation.wellKnownLayer
                explanation.reason = "the image needs it, and nobody said otherwise"
            }
            result.append(explanation)
        }
    }

    private static func explanation(_ removal: Removal) -> Explanation {
        let place = removal.path.reduce(SecretPlace.root) { $0.below($1) }
        var explanation = Explanation(
            path: removal.path.joined(separator: "."), value: "", at: removal.location,
            overridden: removal.overrode.map { overridden($0, place) })
        explanation.removal = removal.isNull ? .null : .remove
        return explanation
    }

    private static func overridden(_ old: LocatedValue.Overridden, _ place: SecretPlace) -> Explanation.Overridden {
        var layer = old.location.file.origin?.description
        switch old.filledIn {
        case nil: break
        case .portName: layer = Explanation.defaultLayer
        case .wellKnown: layer = Explanation.wellKnownLayer
        }
        return .init(
            value: place.concealed(old.text), layer: layer, file: old.location.file.name, line: old.location.line,
            column: old.location.column, kind: old.kind)
    }
}
