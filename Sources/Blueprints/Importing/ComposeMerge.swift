/// Puts Compose values on top of each other.
///
/// <https://github.com/compose-spec/compose-spec/blob/main/13-merge.md>: maps merge, lists are put one after the other,
/// `command`, `entrypoint` and a health check's `test` replace; `environment` and the like are maps, however written.
enum ComposeMerge {
    static func services(_ upper: LocatedValue, over lower: LocatedValue) -> LocatedValue {
        merge(upper, lower) { _, above, below in value(above, over: below) }
    }

    static func value(_ upper: LocatedValue, over lower: LocatedValue, key: String = "") -> LocatedValue {
        // `!override` and `!reset`.
        if upper.replacesLower { return upper }
        if upper.isNull { return lower }
        if mapped.contains(key) {
            return merge(map(upper), map(lower)) { key, above, below in value(above, over: below, key: key) }
        }
        switch (upper.content, lower.content) {
        case (.mapping, .mapping):
            return merge(upper, lower) { key, above, below in value(above, over: below, key: key) }
        case (.sequence(let above), .sequence(let below)) where !replaced.contains(key):
            var result = upper
            let known = Set(below.compactMap(\.text))
            result.content = .sequence(below + above.filter { item in item.text.map { !known.contains($0) } ?? true })
            return result
        default: return upper
        }
    }

    private static let replaced: Set<String> = ["command", "entrypoint", "test"]
    private static let mapped: Set<String> = ["environment", "depends_on"]

    private static func merge(
        _ upper: LocatedValue, _ lower: LocatedValue,
        _ both: (String, LocatedValue, LocatedValue) -> LocatedValue
    ) -> LocatedValue {
        var entries = lower.entries
        let places = Dictionary(entries.enumerated().map { ($1.key, $0) }, uniquingKeysWith: { first, _ in first })
        for entry in upper.entries {
            guard let index = places[entry.key] else {
                entries.append(entry)
                continue
            }
            let value = both(entry.key, entry.value, entries[index].value)
            if value != entries[index].value { entries[index].location = entry.location }
            entries[index].value = value
        }
        var result = upper
        result.content = .mapping(entries)
        return result
    }

    /// `[A=b, C]` as `{A: b, C: null}`, `[db]` as `{db: null}`.
    static func map(_ value: LocatedValue) -> LocatedValue {
        guard case .sequence(let items) = value.content else { return value }
        var places: [String: Int] = [:]
        var entries: [LocatedValue.Entry] = []
        for item in items {
            guard let text = item.text else { continue }
            let parts = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            let key = String(parts[0])
            let content = parts.count > 1 ? LocatedValue.Content.scalar(String(parts[1]), .text) : .null
            let entry = LocatedValue.Entry(
                key: key, location: item.location, value: LocatedValue(content, at: item.location))
            // The last one counts.
            if let place = places[key] {
                entries[place] = entry
            } else {
                places[key] = entries.count
                entries.append(entry)
            }
        }
        var result = value
        result.content = .mapping(entries)
        return result
    }
}
