extension ComposeService {
    /// Everything that makes one service wait for another.
    mutating func readDependencies(_ left: Set<String>) {
        let written = ComposeMerge.map(value["depends_on"] ?? LocatedValue(.null, at: location))
        for entry in written.entries {
            let condition = entry.value["condition"]?.text
            switch condition {
            case "service_started": depend(on: entry.key, .started, "depends_on", at: entry.location, left)
            case "service_completed_successfully":
                depend(on: entry.key, .completed, "depends_on", at: entry.location, left)
            default: depend(on: entry.key, .healthy, "depends_on", at: entry.location, left)
            }
        }
        for item in value["links"]?.items.prefix(Fields.maxItems) ?? [] {
            guard let text = item.text else { continue }
            depend(on: String(text.prefix { $0 != ":" }), .healthy, "links", at: item.location, left)
        }
        for item in value["volumes_from"]?.items.prefix(Fields.maxItems) ?? [] {
            guard let text = item.text, !text.hasPrefix("container:") else { continue }
            depend(on: String(text.prefix { $0 != ":" }), .healthy, "volumes_from", at: item.location, left)
            attention("volumes_from", "services do not share volumes", at: item.location)
        }
        for key in ["network_mode", "ipc", "pid"] {
            guard let entry = value.entry(key), let mode = text(entry.value, key) else { continue }
            if mode.hasPrefix("service:") {
                depend(on: String(mode.dropFirst(8)), .healthy, key, at: entry.location, left)
                attention(key, "services do not share it; it only waits for \(shortened(mode))", at: entry.location)
            } else {
                leftOut(key, "the platform's", at: entry.location)
            }
        }
    }

    private mutating func depend(
        on other: String, _ condition: DependencySpec.Condition, _ field: String, at location: SourceLocation,
        _ left: Set<String>
    ) {
        guard let target = names.services[other] else {
            let why = left.contains(other) ? "is of a profile that is not taken" : "is not there"
            return attention(field, "`\(shortened(other))` \(why); it is not waited for", at: location)
        }
        guard target != name else {
            return attention(field, "a service cannot wait for itself", at: location)
        }
        if let index = dependencies.firstIndex(where: { $0.service == target }) {
            if condition == .completed { dependencies[index].condition = condition }
            return
        }
        dependencies.append(Dependency(service: target, condition: condition, location: location))
        notes.add(
            .carried, path("\(field).\(other)"),
            condition == .healthy ? "it waits until \(target) is ready" : "", at: location)
    }

    /// `restart`, `stop_signal`, `stop_grace_period`, `deploy`, `scale`, limits.
    mutating func convertLife() {
        convertRestart()
        if let entry = value.entry("stop_signal"), let signal = text(entry.value, "stop_signal") {
            if let known = ValueText.signal(signal) {
                set("stopSignal", .text(known))
                carried("stop_signal")
            } else {
                attention("stop_signal", "`\(shortened(signal))` is no signal that ends a program", at: entry.location)
            }
        }
        if let entry = value.entry("stop_grace_period"), let period = text(entry.value, "stop_grace_period") {
            if let seconds = ComposeText.seconds(period) {
                set("stopGraceSeconds", .plain(Self.number(min(seconds, 3600))))
                carried("stop_grace_period")
            } else {
                attention("stop_grace_period", "`\(shortened(period))` is no length of time", at: entry.location)
            }
        }
        convertReplicas()
        convertResources()
        for entry in value["deploy"]?.entries ?? []
        where !["replicas", "resources", "restart_policy"].contains(entry.key) {
            leftOut("deploy.\(entry.key)", "the platform's", at: entry.location)
        }
    }

    private mutating func convertRestart() {
        let deploy = value["deploy"]?["restart_policy"]?.entry("condition")
        guard let entry = deploy ?? value.entry("restart"), let written = text(entry.value, "restart") else { return }
        let field = deploy == nil ? "restart" : "deploy.restart_policy"
        let policies: [String: RestartPolicy] = [
            "no": .never, "none": .never, "false": .never, "always": .always, "any": .always,
            "unless-stopped": .always, "on-failure": .onFailure,
        ]
        guard let policy = policies[String(written.prefix { $0 != ":" })] else {
            return attention(field, "`\(shortened(written))` is no policy", at: entry.location)
        }
        if policy != .always { set("restart", .text(policy.rawValue)) }
        if written.contains(":") {
            changed(field, "without a limit: the pauses grow", at: entry.location)
        } else {
            notes.add(.carried, path(field), at: entry.location)
        }
    }

    private mutating func convertReplicas() {
        guard let entry = value["deploy"]?.entry("replicas") ?? value.entry("scale"),
            let count = text(entry.value, "replicas").flatMap({ Int($0) })
        else { return }
        let wanted = min(max(count, 0), 100)
        if wanted > 1, keepsData {
            return attention("replicas", "one copy runs: \(wanted) cannot share a volume", at: entry.location)
        }
        if wanted != 1 { set("replicas", .plain("\(wanted)")) }
        notes.add(.carried, path("replicas"), at: entry.location)
    }

    private mutating func convertResources() {
        func quantities(_ cpu: LocatedValue?, _ memory: LocatedValue?) -> DraftNode? {
            var fields: [(String, DraftNode)] = []
            if let text = text(cpu, "cpus").flatMap(ComposeText.processors) { fields.append(("cpu", .text(text))) }
            if let text = text(memory, "memory").flatMap(ComposeText.memory) { fields.append(("memory", .text(text))) }
            return fields.isEmpty ? nil : .line(fields)
        }
        let resources = value["deploy"]?["resources"]
        let (limits, wanted) = (resources?["limits"], resources?["reservations"])
        var fields: [(String, DraftNode)] = []
        if let node = quantities(wanted?["cpus"], wanted?["memory"] ?? value["mem_reservation"]) {
            fields.append(("requests", node))
        }
        if let node = quantities(limits?["cpus"] ?? value["cpus"], limits?["memory"] ?? value["mem_limit"]) {
            fields.append(("limits", node))
        }
        guard !fields.isEmpty else { return }
        set("resources", .line(fields))
        for key in ["deploy", "mem_limit", "mem_reservation", "cpus"] {
            if let entry = value.entry(key) { notes.add(.carried, path(key), "as `resources`", at: entry.location) }
        }
    }

    /// Without a fraction where there is none.
    static func number(_ value: Double) -> String {
        let rounded = (value * 1000).rounded() / 1000
        return rounded == rounded.rounded() ? "\(Int(rounded))" : "\(rounded)"
    }
}
