extension BlueprintDocument {
    /// Where the value at a path stands, or the nearest above it that is written: what is filled in stands nowhere. Keys may have
    /// dots of their own, so the path is by parts.
    package func location(nearest path: [String]) -> SourceLocation {
        var (value, location) = (value, value.location)
        var rest = path[...]
        while !rest.isEmpty {
            guard let (next, place, count) = Self.step(rest, in: value) else { return location }
            (value, location) = (next, place)
            rest = rest.dropFirst(count)
        }
        return location
    }

    /// What the first of the parts leads to; a key with dots takes several of them.
    private static func step(
        _ parts: ArraySlice<String>, in value: LocatedValue
    ) -> (LocatedValue, SourceLocation, Int)? {
        for count in stride(from: min(parts.count, 16), through: 1, by: -1) {
            let key = parts.prefix(count).joined(separator: ".")
            switch value.content {
            case .mapping:
                if let entry = value.entry(key) { return (entry.value, entry.value.location, count) }
            case .sequence(let items):
                let index = Int(key).flatMap { items.indices.contains($0) ? $0 : nil }
                if let item = items.first(where: { $0.name == key }) ?? index.map({ items[$0] }) {
                    return (item, item["name"]?.location ?? item.location, count)
                }
            case .null, .scalar: return nil
            }
        }
        return nil
    }
}
