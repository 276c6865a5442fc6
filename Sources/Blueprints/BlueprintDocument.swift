/// A Blueprint's tree: of one file, or composed of several. What is stored of a parent, so that children can be composed
/// onto it later.
package struct BlueprintDocument: Sendable, Hashable {
    /// Something that a lower layer said, and that a later one removed.
    package struct Removal: Sendable, Hashable {
        /// Services and other named things by name.
        package var path: [String]
        /// Of the `null`, or of the `{name: x, remove: true}`.
        package var location: SourceLocation
        package var isNull: Bool
        /// What was there; the latest first.
        package var overrode: [LocatedValue.Overridden]
    }

    package var value: LocatedValue
    /// Of a composed document: what is not there because of a removal.
    package var removals: [Removal]

    package init(value: LocatedValue, removals: [Removal] = []) {
        self.value = value
        self.removals = removals
    }
}

extension BlueprintDocument: Codable {
    package init(from decoder: any Decoder) throws {
        self = try PackedTree(from: decoder).unpacked()
    }

    package func encode(to encoder: any Encoder) throws {
        try PackedTree(self).encode(to: encoder)
    }
}

extension BlueprintDocument {
    /// The same, with every file that belongs to no registered layer or environment said to be that of `origin`.
    package func attributed(to origin: SourceOrigin) -> BlueprintDocument {
        let attribution = Attribution(origin: origin)
        return BlueprintDocument(
            value: attribution.value(value),
            removals: removals.map { removal in
                var removal = removal
                removal.location = attribution.location(removal.location)
                removal.overrode = attribution.overridden(removal.overrode)
                return removal
            })
    }
}

private struct Attribution {
    let origin: SourceOrigin

    func value(_ value: LocatedValue) -> LocatedValue {
        var result = value
        result.location = location(value.location)
        result.overrode = overridden(value.overrode)
        switch value.content {
        case .null, .scalar: break
        case .sequence(let items): result.content = .sequence(items.map(self.value))
        case .mapping(let entries):
            result.content = .mapping(
                entries.map { .init(key: $0.key, location: location($0.location), value: self.value($0.value)) })
        }
        return result
    }

    func location(_ location: SourceLocation) -> SourceLocation {
        guard location.file.origin == nil else { return location }
        var location = location
        location.file.origin = origin
        return location
    }

    func overridden(_ all: [LocatedValue.Overridden]) -> [LocatedValue.Overridden] {
        all.map { old in
            var old = old
            old.location = location(old.location)
            return old
        }
    }
}
