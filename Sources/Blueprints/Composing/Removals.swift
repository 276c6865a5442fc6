/// Finds what a layer removes, and reports what it removes in vain.
struct Removals {
    let findings: Findings

    /// The names of the removed services, sorted.
    ///
    /// - Parameter parent: `nil` where it is not known, so that nothing can be said about it.
    func check(_ layer: LocatedValue, over parent: LocatedValue?, isPartial: Bool) -> [String] {
        var removed: [String] = []
        let services = layer["services"]?.items ?? []
        let known = parent?["services"]?.items ?? []
        report(services, known, "service", isPartial)
        for service in services {
            guard let name = service.name else { continue }
            if service.isRemoval {
                removed.append(name)
                continue
            }
            let before = known.first { $0.name == name }
            for (key, noun) in [("ports", "port"), ("volumes", "volume"), ("secrets", "secret")] {
                report(service[key]?.items ?? [], before?[key]?.items ?? [], noun, isPartial)
            }
        }
        return removed.sorted()
    }

    private func report(_ items: [LocatedValue], _ known: [LocatedValue], _ noun: String, _ isPartial: Bool) {
        let names = known.compactMap(\.name)
        for item in items where item.isRemoval {
            guard let entry = item.entry("name"), let name = entry.value.text else {
                findings.error("missing_field", "`remove` needs the `name` of the \(noun)", at: item.location)
                continue
            }
            for field in item.entries where !["name", "remove"].contains(field.key) {
                findings.error(
                    "unused_field", "`\(shortened(field.key))` of a \(noun) that is removed", at: field.location,
                    hint: "leave it out, or leave out `remove`")
            }
            if !isPartial && !names.contains(name) {
                findings.error(
                    "nothing_to_remove", "there is no \(noun) `\(shortened(name))` to remove", at: entry.value.location,
                    hint: NearMiss.hint(name, among: names))
            }
        }
    }
}
