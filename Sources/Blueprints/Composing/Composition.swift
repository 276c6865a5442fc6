/// Puts layers on top of each other, by the rules of `docs/reference/blueprint.md`, "Layers and overlays".
///
/// What removes something stays in the result until ``stripped(_:)``, and a value that replaced one of another kind
/// remembers it; so composing is associative: layers may be composed in any grouping, only their order counts. For the
/// same reason a value remembers every value below it that stood at its place, merged with or not.
enum Composition {
    /// - Parameters:
    ///   - upper: wins.
    ///   - place: of both values.
    static func compose(
        _ upper: LocatedValue, over lower: LocatedValue, place: CompositionPlace = .root
    ) -> LocatedValue {
        var result = upper
        result.overrode.append(.init(lower, place))
        result.overrode += lower.overrode
        if upper.replacesLower { return result }
        switch (upper.content, lower.content) {
        case (.mapping(let above), .mapping(let below)) where !place.isRemoval(upper) && !place.isRemoval(lower):
            result.content = .mapping(merge(above, below, place))
            result.replacesLower = lower.replacesLower
        case (.sequence(let above), .sequence(let below)) where place.isNamedList:
            result.content = .sequence(merge(above, below, place))
            result.replacesLower = lower.replacesLower
        default:
            result.replacesLower = true
        }
        return result
    }

    private static func merge(
        _ above: [LocatedValue.Entry], _ below: [LocatedValue.Entry], _ place: CompositionPlace
    ) -> [LocatedValue.Entry] {
        var result = below
        let places = Dictionary(below.enumerated().map { ($1.key, $0) }, uniquingKeysWith: { first, _ in first })
        for entry in above {
            guard let index = places[entry.key] else {
                result.append(entry)
                continue
            }
            result[index].value = compose(entry.value, over: result[index].value, place: place.below(entry.key))
            result[index].location = entry.location
        }
        return result
    }

    private static func merge(
        _ above: [LocatedValue], _ below: [LocatedValue], _ place: CompositionPlace
    ) -> [LocatedValue] {
        var result = below
        var places: [String: Int] = [:]
        for (index, item) in below.enumerated() {
            if let name = item.name, places[name] == nil { places[name] = index }
        }
        for item in above {
            if let name = item.name, let index = places[name] {
                result[index] = compose(item, over: result[index], place: place.item)
            } else {
                result.append(item)
            }
        }
        return result
    }

    /// The value without what only removes: `null` fields, and items of lists of named things with `remove: true`.
    static func stripped(_ value: LocatedValue) -> LocatedValue { strippedWithRemovals(value).0 }

    /// The same, with what was there and is removed, in the order in which it stood.
    static func strippedWithRemovals(_ value: LocatedValue) -> (LocatedValue, [BlueprintDocument.Removal]) {
        var stripping = Stripping()
        let result = stripping.stripped(value, .root, [])
        return (result, stripping.removals)
    }
}

private struct Stripping {
    private(set) var removals: [BlueprintDocument.Removal] = []

    mutating func stripped(_ value: LocatedValue, _ place: CompositionPlace, _ path: [String]) -> LocatedValue {
        var value = value
        value.replacesLower = false
        switch value.content {
        case .mapping(let entries):
            var left: [LocatedValue.Entry] = []
            for var entry in entries {
                let path = path + [entry.key]
                if entry.value.isNull {
                    note(entry.value, path, isNull: true)
                } else {
                    entry.value = stripped(entry.value, place.below(entry.key), path)
                    left.append(entry)
                }
            }
            value.content = .mapping(left)
        case .sequence(let items):
            var left: [LocatedValue] = []
            for (index, item) in items.enumerated() {
                let path = path + [item.name ?? "\(index)"]
                if place.item.isRemoval(item) {
                    note(item, path, isNull: false)
                } else {
                    left.append(stripped(item, place.item, path))
                }
            }
            value.content = .sequence(left)
        default: break
        }
        return value
    }

    /// Only what was there is removed.
    private mutating func note(_ value: LocatedValue, _ path: [String], isNull: Bool) {
        guard value.overrode.contains(where: { $0.kind != .removal }) else { return }
        removals.append(.init(path: path, location: value.location, isNull: isNull, overrode: value.overrode))
    }
}

extension LocatedValue.Overridden {
    /// - Parameter place: of the value.
    init(_ value: LocatedValue, _ place: CompositionPlace) {
        self.init(text: "", location: value.location, filledIn: value.filledIn)
        switch value.content {
        case .null: kind = .removal
        case .scalar: text = value.shown
        case .sequence where !place.isNamedList: text = value.shown
        case .mapping where place.isRemoval(value): kind = .removal
        case .sequence, .mapping: kind = .container
        }
    }
}
