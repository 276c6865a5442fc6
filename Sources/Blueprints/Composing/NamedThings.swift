/// Brings the ways to write a list of named things into one, so that layers can be merged by name: `services` as a map
/// becomes a list, a port as text becomes a map, a port without a name gets the name that it has by default.
struct NamedThings {
    let findings: Findings

    func canonical(_ root: LocatedValue) -> LocatedValue {
        replacing("services", in: root) { services in
            var services = list(services)
            guard services.content.isSequence else { return services }
            services.content = .sequence(
                unique(services, "service").map { service in
                    var service = replacing("ports", in: service) { unique(ports($0), "port") }
                    service = replacing("volumes", in: service) { unique($0, "volume") }
                    return replacing("secrets", in: service) { unique($0, "secret") }
                })
            return services
        }
    }

    private func replacing(
        _ key: String, in map: LocatedValue, _ change: (LocatedValue) -> LocatedValue
    ) -> LocatedValue {
        guard case .mapping(var entries) = map.content, let index = entries.firstIndex(where: { $0.key == key }) else {
            return map
        }
        guard key == "services" || entries[index].value.content.isSequence else { return map }
        entries[index].value = change(entries[index].value)
        var map = map
        map.content = .mapping(entries)
        return map
    }

    private func list(_ services: LocatedValue) -> LocatedValue {
        guard case .mapping(let entries) = services.content else { return services }
        let items = entries.map { entry -> LocatedValue in
            let name = LocatedValue(.scalar(entry.key, .text), at: entry.location)
            var item = entry.value
            switch entry.value.content {
            case .mapping(let fields):
                if let written = entry.value.entry("name"), written.value.text != entry.key {
                    findings.error(
                        "name_mismatch", "the key says `\(shortened(entry.key))`, this says something else",
                        at: written.location, hint: "leave out `name`")
                }
                let key = LocatedValue.Entry(key: "name", location: entry.location, value: name)
                item.content = .mapping([key] + fields.filter { $0.key != "name" })
                item.location = entry.location
            // `services: {x: null}` removes the service, as null removes every field.
            case .null:
                let remove = LocatedValue(.scalar("true", .boolean), at: entry.value.location)
                item.content = .mapping([
                    .init(key: "name", location: entry.location, value: name),
                    .init(key: "remove", location: entry.value.location, value: remove),
                ])
                item.location = entry.location
            default: break
            }
            return item
        }
        return LocatedValue(.sequence(items), at: services.location)
    }

    /// The items without those whose name came before; each of these is an error.
    private func unique(_ list: LocatedValue, _ noun: String) -> [LocatedValue] {
        var first: [String: SourceLocation] = [:]
        let limit = Fields.maxItems
        if list.items.count > limit {
            findings.error(
                "too_many", "\(list.items.count) \(noun)s; at most \(limit) are read", at: list.items[limit].location)
        }
        return list.items.prefix(limit).filter { item in
            guard let entry = item.entry("name"), let name = entry.value.text else { return true }
            if let before = first[name] {
                findings.error(
                    "duplicate_name", "a second \(noun) `\(shortened(name))`; the first is in line \(before.line)",
                    at: entry.value.location)
                return false
            }
            first[name] = entry.value.location
            return true
        }
    }

    private func unique(_ list: LocatedValue, _ noun: String) -> LocatedValue {
        var list = list
        list.content = .sequence(unique(list, noun) as [LocatedValue])
        return list
    }

    private func ports(_ list: LocatedValue) -> LocatedValue {
        var list = list
        let items = list.items.prefix(Fields.maxItems + 1).map { PortText.map($0, findings) }
        var taken = Set(items.compactMap(\.name))
        list.content = .sequence(
            items.map { item in
                guard case .mapping(let fields) = item.content, item.entry("name") == nil else { return item }
                let transport = item["protocol"]?.text ?? "http"
                let number = item["containerPort"]?.text ?? item["hostPort"]?.text
                let candidates = [transport] + (number.map { ["port-\($0)"] } ?? [])
                let name =
                    candidates.first { !taken.contains($0) }
                    ?? (1...).lazy.map { "port-\($0)" }.first { !taken.contains($0) } ?? transport
                taken.insert(name)
                var value = LocatedValue(.scalar(name, .text), at: item.location)
                value.filledIn = .portName
                var item = item
                item.content = .mapping([.init(key: "name", location: item.location, value: value)] + fields)
                return item
            })
        return list
    }
}

extension LocatedValue.Content {
    fileprivate var isSequence: Bool { if case .sequence = self { true } else { false } }
}
