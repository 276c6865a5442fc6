/// What a Blueprint comes to where nobody says anything, each with the reason. Whoever gives a field a default in a checker
/// names it here, too.
struct FilledValues {
    private let spec: BlueprintSpec
    private let tree: LocatedValue
    /// In no order.
    private(set) var all: [Explanation] = []

    /// - Parameter tree: composed; what stands in it is not filled in.
    init(of spec: BlueprintSpec, in tree: LocatedValue) {
        self.spec = spec
        self.tree = tree
        fillRoot()
        fillRouting()
        for service in spec.services {
            guard let written = tree["services"]?.value(at: [service.name]) else { continue }
            fill(service, written)
        }
    }

    private mutating func add(_ path: String, _ value: String, _ reason: String, at location: SourceLocation? = nil) {
        all.append(
            Explanation(
                path: path, value: value, layer: Explanation.defaultLayer, file: location?.file.shown ?? "",
                line: location?.line ?? 0, column: location?.column ?? 0, reason: reason, overridden: []))
    }

    private func has(_ path: String...) -> Bool { tree.value(at: path) != nil }

    private mutating func fillRoot() {
        if !has("runtime") {
            add("runtime", spec.runtime.rawValue, "services with a command are local processes, images containers")
        }
        if !has("repair") { add("repair", spec.repair.rawValue, "deviations are mended unless told otherwise") }
        if !has("autoShutdownEnabled") {
            add("autoShutdownEnabled", "true", "what nobody uses is stopped unless told otherwise")
        }
        if !has("autoShutdownDelayMinutes"), let idle = spec.lifecycle.idleMilliseconds {
            add("autoShutdownDelayMinutes", Self.number(Double(idle) / 60_000), "how long nobody uses it before that")
        }
        if let schedule = spec.lifecycle.schedule, !has("schedule", "timezone") {
            add("schedule.timezone", schedule.timezone, "times are UTC unless told otherwise")
        }
        if let ttl = spec.lifecycle.ttl, !has("ttl", "from") {
            add("ttl.from", ttl.from.rawValue, "a ttl counts from the creation unless told otherwise")
        }
    }

    private mutating func fillRouting() {
        let routing = spec.routing
        func isMissing(_ key: String) -> Bool { !has("routing", key) }
        if isMissing("mode") {
            add("routing.mode", (routing.mode ?? .isolated).rawValue, "the command that made it says so")
        }
        if isMissing("overlayId"), let id = routing.overlayId { add("routing.overlayId", id, "the overlay's name") }
        if isMissing("headerName") { add("routing.headerName", routing.headerName, "the usual header") }
        if isMissing("propagateHeader") {
            add("routing.propagateHeader", "\(routing.propagateHeader)", "services are given the context to pass on")
        }
        if isMissing("onUnknownContext") {
            add(
                "routing.onUnknownContext", routing.onUnknownContext.rawValue,
                "a context that nobody knows is not guessed at")
        }
        if isMissing("onLeak") { add("routing.onLeak", routing.onLeak.rawValue, "a lost context is reported") }
        if isMissing("attribution") {
            add("routing.attribution", routing.attribution.rawValue, "a call without context is given none")
        }
    }

    // MARK: Services

    private mutating func fill(_ service: ServiceSpec, _ written: LocatedValue) {
        let path = "services.\(service.name)"
        func isMissing(_ key: String) -> Bool { written.entry(key) == nil }
        if isMissing("replicas") { add("\(path).replicas", "\(service.replicas)", "one copy") }
        if isMissing("expose") { add("\(path).expose", "\(service.expose)", "only other services reach it") }
        if isMissing("restart") {
            add("\(path).restart", service.restart.rawValue, "it is started again whenever it ends")
        }
        if isMissing("stopSignal") {
            add("\(path).stopSignal", service.stopSignal, "asks a program to end, before it is made to")
        }
        if isMissing("stopGraceSeconds") {
            add("\(path).stopGraceSeconds", Self.number(service.stopGraceSeconds), "then it is killed")
        }
        if isMissing("activation") { add("\(path).activation", "auto", "it starts with its environment") }
        if isMissing("data") { add("\(path).data", "inherit", "its data is that of whoever answers for it") }
        if isMissing("workdir"), let command = written["command"] {
            add("\(path).workdir", service.workdir, "the folder of the file that says `command`", at: command.location)
        }
        fillPorts(service, written, path)
        fillProbes(service, written, path)
        for volume in written["volumes"]?.items ?? [] where volume["type"] == nil {
            add("\(path).volumes.\(volume.name ?? "").type", "pvc", "a volume keeps its data", at: volume.location)
        }
        fillInitialisers(service, written, path)
        fillDependencies(service, written, path)
    }

    private mutating func fillPorts(_ service: ServiceSpec, _ written: LocatedValue, _ path: String) {
        for port in service.ports {
            guard let item = written["ports"]?.value(at: [port.name]) else { continue }
            if item["protocol"] == nil {
                let isNamedSo = PortProtocol(rawValue: port.name) != nil
                add(
                    "\(path).ports.\(port.name).protocol", port.transport.rawValue,
                    isNamedSo ? "the port is named after it" : "the usual protocol", at: item.location)
            }
            if let tls = port.tls, item["tls"]?["serverName"] == nil {
                add(
                    "\(path).ports.\(port.name).tls.serverName", tls.serverName, "a local service's usual name",
                    at: item.location)
            }
        }
    }

    private mutating func fillProbes(_ service: ServiceSpec, _ written: LocatedValue, _ path: String) {
        let probes = [
            ("readiness", service.probes.readiness), ("liveness", service.probes.liveness),
            ("startup", service.probes.startup),
        ]
        for (kind, probe) in probes {
            let path = "\(path).probes.\(kind)"
            guard let probe, let item = written["probes"]?[kind] else { continue }
            if item["periodSeconds"] == nil {
                add(
                    "\(path).periodSeconds", Self.number(probe.periodSeconds), "how often it is asked",
                    at: item.location)
            }
            if item["timeoutSeconds"] == nil {
                add("\(path).timeoutSeconds", Self.number(probe.timeoutSeconds), "no answer by then", at: item.location)
            }
            if item["failureThreshold"] == nil {
                add(
                    "\(path).failureThreshold", "\(probe.failureThreshold)", "so many failures in a row count",
                    at: item.location)
            }
            if let http = item["http"], http["path"] == nil {
                add("\(path).http.path", "/", "the usual path", at: http.location)
            }
            if let first = service.ports.first, let check = item["http"] ?? item["tcp"], check["port"] == nil {
                let name = item["http"] == nil ? "tcp" : "http"
                add("\(path).\(name).port", first.name, "the first port", at: check.location)
            }
        }
        if service.probes.readiness == nil, let first = service.ports.first {
            add(
                "\(path).probes.readiness.tcp.port", first.name,
                "without a probe it is ready when its first port accepts connections")
        }
    }

    private mutating func fillInitialisers(_ service: ServiceSpec, _ written: LocatedValue, _ path: String) {
        guard let value = written["init"] else { return }
        var items = [("\(path).init", value)]
        if case .sequence(let list) = value.content {
            items = list.enumerated().map { ("\(path).init.\($0)", $1) }
        }
        for (path, item) in items {
            guard item["type"]?.text == "http", let request = item["request"] else { continue }
            if request["method"] == nil {
                add("\(path).request.method", "POST", "the usual method", at: request.location)
            }
            if request["port"] == nil, let first = service.ports.first {
                add("\(path).request.port", first.name, "the first port", at: request.location)
            }
        }
    }

    private mutating func fillDependencies(_ service: ServiceSpec, _ written: LocatedValue, _ path: String) {
        for dependency in service.dependsOn {
            let item = written["dependsOn"]?.items.first {
                $0.text == dependency.service || $0["service"]?.text == dependency.service
            }
            let place = "\(path).dependsOn.\(dependency.service)"
            if let item {
                guard item["condition"] == nil else { continue }
                add("\(place).condition", dependency.condition.rawValue, "the usual condition", at: item.location)
                continue
            }
            let variables = (written["env"]?.entries ?? []).filter { entry in
                guard let text = entry.value.text else { return false }
                return text.contains(dependency.service)
            }
            let names = variables.map { "env.\($0.key)" }.joined(separator: ", ")
            let how = dependency.origin == .reference ? "referred to" : "inferred from an address"
            add(
                "\(place).condition", dependency.condition.rawValue, names.isEmpty ? how : "\(how) in \(names)",
                at: variables.first?.value.location)
        }
    }

    /// Without a fraction where there is none.
    private static func number(_ value: Double) -> String {
        value == value.rounded() && abs(value) < 1e15 ? "\(Int64(value))" : "\(value)"
    }
}
