/// Puts layers on top of each other, by the rules of `docs/reference/blueprint.md`, "Layers and overlays".
///
/// What removes something stays in the result until ``stripped(_:)``, and a value that replaced one of another kind
/// remembers it; so composing is associative: layers may be composed in any grouping, only their order counts.
enum Composition {
    /// - Parameters:
    ///   - upper: wins.
    ///   - place: of both values.
    static func compose(
        _ upper: LocatedValue, over lower: LocatedValue, place: CompositionPlace = .root
    ) -> LocatedValue {
        if upper.replacesLower { return replacing(upper, lower) }
        switch (upper.content, lower.content) {
        case (.mapping(let above), .mapping(let below)) where !upper.isRemoval && !lower.isRemoval:
            var result = upper
            result.content = .mapping(merge(above, below, place))
            result.replacesLower = lower.replacesLower
            result.overrode += lower.overrode
            return result
        case (.sequence(let above), .sequence(let below)) where place.isNamedList:
            var result = upper
            result.content = .sequence(merge(above, below, place))
            result.replacesLower = lower.replacesLower
            result.overrode += lower.overrode
            return result
        default:
            return replacing(upper, lower)
        }
    }

    private static func replacing(_ upper: LocatedValue, _ lower: LocatedValue) -> LocatedValue {
        var result = upper
        result.replacesLower = true
        switch lower.content {
        case .scalar: result.overrode.append(.init(text: lower.shown, location: lower.location))
        case .sequence(let items) where items.allSatisfy({ $0.name == nil }):
            result.overrode.append(.init(text: lower.shown, location: lower.location))
        default: break
        }
        result.overrode += lower.overrode
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
    static func stripped(_ value: LocatedValue, place: CompositionPlace = .root) -> LocatedValue {
        var value = value
        value.replacesLower = false
        switch value.content {
        case .mapping(let entries):
            value.content = .mapping(
                entries.filter { !$0.value.isNull }.map { entry in
                    var entry = entry
                    entry.value = stripped(entry.value, place: place.below(entry.key))
                    return entry
                })
        case .sequence(let items):
            value.content = .sequence(
                items.filter { !(place.isNamedList && $0.isRemoval) }.map { stripped($0, place: place.item) })
        default: break
        }
        return value
    }
}
