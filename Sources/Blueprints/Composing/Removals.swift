/// Reports what a layer removes in vain.
struct Removals {
    let findings: Findings

    /// - Parameters:
    ///   - lower: all that it stands on, composed.
    ///   - isPartial: more is below that is not at hand, so nothing is known not to be there.
    func check(_ layer: LocatedValue, over lower: LocatedValue?, isPartial: Bool) {
        let services = layer["services"]?.items ?? []
        let known = (lower?["services"]?.items ?? []).filter { !$0.isRemoval }
        report(services, known, "service", isPartial)
        for service in services where !service.isRemoval {
            guard let name = service.name else { continue }
            let before = known.first { $0.name == name }
            for (key, noun) in [("ports", "port"), ("volumes", "volume"), ("secrets", "secret")] {
                report(service[key]?.items ?? [], before?[key]?.items ?? [], noun, isPartial)
            }
        }
    }

    private func report(_ items: [LocatedValue], _ known: [LocatedValue], _ noun: String, _ isPartial: Bool) {
        let names = known.filter { !$0.isRemoval }.compactMap(\.name)
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
