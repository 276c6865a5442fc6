/// Says which parts of the grammar are not built yet. A Blueprint that uses one is refused, never silently taken for one
/// that does not. The table in `docs/reference/blueprint.md` says the same.
struct Support {
    let findings: Findings
    /// `.error` where an environment shall be made, `.warning` where only the text is judged.
    let severity: Diagnostic.Severity

    /// Fields of the Blueprint and of a service, with what to do instead where there is something.
    static let rootFields: [(name: String, hint: String?)] = [
        ("uses", nil), ("plans", nil), ("snapshot", nil),
        ("seeds", "use `init` for data that a service starts with"),
    ]
    static let serviceFields: [(name: String, hint: String?)] = [
        ("image", "give the `command` that starts the program on this machine"),
        ("mock", "give the `command` of a stand-in"), ("resources", nil),
    ]

    func check(_ root: LocatedValue) {
        refuse(Self.rootFields, of: root)
        refuse(
            root, "runtime", ["container", "kubernetes"], hint: "services run as local processes: `auto` or `process`")
        if let routing = root["routing"] {
            refuse(routing, "mode", ["shadow"])
        }
        for service in root["services"]?.items ?? [] { check(service: service) }
    }

    private func check(service: LocatedValue) {
        refuse(Self.serviceFields, of: service)
        refuse(service, "data", ["branch"])
        for dependency in service["dependsOn"]?.items ?? [] { refuse(dependency, "condition", ["completed"]) }
        let initialisers = service["init"]
        for item in (initialisers?.items ?? []) + (initialisers.map { [$0] } ?? []) {
            refuse(item, "engine", ["mysql"])
        }
    }

    private func refuse(_ fields: [(name: String, hint: String?)], of map: LocatedValue) {
        for (name, hint) in fields {
            if let entry = map.entry(name) { refused("`\(name)`", entry.location, hint: hint) }
        }
    }

    private func refuse(_ map: LocatedValue, _ key: String, _ values: [String], hint: String? = nil) {
        guard let value = map[key], let text = value.text, values.contains(text) else { return }
        refused("`\(key): \(text)`", value.location, hint: hint)
    }

    private func refused(_ what: String, _ location: SourceLocation, hint: String? = nil) {
        findings.report(severity, "not_supported_yet", "\(what) is not built yet", at: location, hint: hint)
    }
}
