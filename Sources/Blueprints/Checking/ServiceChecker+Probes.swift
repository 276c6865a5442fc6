extension ServiceChecker {
    func readProbes(_ spec: ServiceSpec) -> ProbesSpec {
        guard let map = fields.fields("probes", known: Grammar.probes.keys) else {
            return ProbesSpec()
        }
        return ProbesSpec(
            readiness: probe(map, "readiness", spec), liveness: probe(map, "liveness", spec),
            startup: probe(map, "startup", spec))
    }

    private func probe(_ probes: Fields, _ key: String, _ spec: ServiceSpec) -> ProbeSpec? {
        let kinds = ["http", "tcp", "exec", "log"]
        guard let map = probes.fields(key, known: Grammar.probe.keys, hint: "such as {http: {path: /healthz}}") else {
            return nil
        }
        let period = map.number("periodSeconds", in: 0.05...3600)
        let timeout = map.number("timeoutSeconds", in: 0.05...3600)
        let threshold = map.integer("failureThreshold", in: 1...100_000)
        let written = kinds.filter(map.has)
        guard written.count == 1 else {
            if written.isEmpty && isPartial { return nil }
            let what = written.isEmpty ? "none" : "more than one"
            findings.error(
                "one_of", "`\(map.path)` has \(what) of \(Fields.alternatives(kinds))", at: map.map.location,
                hint: written.first.map { "in an overlay, `\($0): null` removes the parent's" })
            return nil
        }
        guard let check = check(map, written[0], spec) else { return nil }
        var probe = ProbeSpec(check)
        if let period { probe.periodSeconds = period }
        if let timeout { probe.timeoutSeconds = timeout }
        if let threshold { probe.failureThreshold = threshold }
        return probe
    }

    private func check(_ map: Fields, _ kind: String, _ spec: ServiceSpec) -> ProbeSpec.Check? {
        switch kind {
        case "http":
            guard let http = map.fields("http", known: Grammar.httpProbe.keys, hint: "such as {path: /healthz}") else {
                return nil
            }
            let path = http.has("path") ? requestPath(http) : "/"
            let port = portName(http, spec)
            return path.map { .http(path: $0, port: port) }
        case "tcp":
            let hint = "such as {port: http}, or {} for the first"
            guard let tcp = map.fields("tcp", known: Grammar.tcpProbe.keys, hint: hint) else { return nil }
            return .tcp(port: portName(tcp, spec))
        case "exec":
            guard let exec = map.fields("exec", known: Grammar.execProbe.keys) else { return nil }
            if !exec.has("command") { exec.missing("command") }
            return exec.arguments("command").map { .exec(command: $0) }
        default:
            guard let log = map.fields("log", known: Grammar.logProbe.keys) else { return nil }
            if !log.has("pattern") { log.missing("pattern") }
            return pattern(log).map { .log(pattern: $0) }
        }
    }

    private func requestPath(_ map: Fields) -> String? {
        guard let path = map.text("path") else { return nil }
        guard path.hasPrefix("/"), path.utf8.allSatisfy({ $0 > 0x20 && $0 != 0x7F }) else {
            findings.error(
                "invalid_path", "`\(map.name("path"))` must begin with `/` and have no spaces", at: map.at("path"))
            return nil
        }
        return path
    }

    private func pattern(_ log: Fields) -> String? {
        guard let pattern = log.nonEmptyText("pattern") else { return nil }
        do {
            guard pattern.utf8.count <= 1000 else {
                findings.error(
                    "invalid_pattern", "`\(log.path).pattern` is longer than 1000 bytes", at: log.at("pattern"))
                return nil
            }
            _ = try Regex(pattern)
            return pattern
        } catch {
            findings.error(
                "invalid_pattern", "`\(shortened(pattern))` is no regular expression: \(shortened("\(error)"))",
                at: log.at("pattern"))
            return nil
        }
    }

    func readInitialisers(_ spec: ServiceSpec) -> [InitSpec] {
        guard let value = fields.value("init") else { return [] }
        if case .sequence(let items) = value.content {
            return items.enumerated().compactMap { initialiser($1, "\(fields.path).init[\($0)]", spec) }
        }
        return initialiser(value, "\(fields.path).init", spec).map { [$0] } ?? []
    }

    private func initialiser(_ value: LocatedValue, _ path: String, _ spec: ServiceSpec) -> InitSpec? {
        let kinds = ["sql": Grammar.sqlInit, "command": Grammar.commandInit, "http": Grammar.httpInit]
        let type = value["type"]?.text
        let known = (type.flatMap { kinds[$0] }.map { [$0] } ?? Array(kinds.values)).flatMap(\.keys)
        let hint = "such as {type: sql, script: schema.sql}"
        guard let map = Fields(value, path, known: Set(known).sorted(), findings, hint: hint) else { return nil }
        guard map.has("type") else {
            map.missing("type", hint: "type: sql, command or http")
            return nil
        }
        switch map.choice("type", ["sql", "command", "http"]) {
        case "sql": return sql(map)
        case "command":
            if !map.has("command") { map.missing("command") }
            return map.arguments("command").map { .command($0) }
        case "http": return http(map, spec)
        default: return nil
        }
    }

    private func sql(_ map: Fields) -> InitSpec? {
        let engine: SQLInitSpec.Engine? = map.choice("engine")
        let password = map.text("password")
        for problem in password.map({ Template.parse($0).problems }) ?? [] {
            findings.error(problem.code, problem.message, at: map.at("password"), hint: problem.hint)
        }
        if !map.has("script") { map.missing("script", hint: "script: schema.sql, a path beside this file") }
        guard let script = map.nonEmptyText("script") else { return nil }
        guard !script.contains(where: \.isNewline) else {
            findings.error(
                "invalid_path", "`\(map.path).script` is a path, not the statements themselves", at: map.at("script"),
                hint: "put the statements into a file beside this one")
            return nil
        }
        return .sql(
            SQLInitSpec(
                script: FilePath.absolute(script, in: map.at("script").file.folder), engine: engine,
                user: map.nonEmptyText("user"), password: password, database: map.nonEmptyText("database")))
    }

    private func http(_ map: Fields, _ spec: ServiceSpec) -> InitSpec? {
        if !map.has("request") { map.missing("request", hint: "request: {method: POST, path: /setup}") }
        guard let request = map.fields("request", known: Grammar.request.keys) else { return nil }
        if !request.has("path") { request.missing("path") }
        let methods = ["GET", "POST", "PUT", "PATCH", "DELETE"]
        let method = request.choice("method", methods) ?? "POST"
        let headers = request.textMap("headers") ?? [:]
        for entry in request.value("headers")?.entries ?? [] {
            let value = headers[entry.key] ?? ""
            if entry.key.isEmpty || !entry.key.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F && $0 != 0x3A })
                || value.contains(where: \.isNewline)
            {
                findings.error("invalid_text", "`\(shortened(entry.key))` is no header", at: entry.location)
            }
        }
        let port = portName(request, spec)
        guard let path = requestPath(request) else { return nil }
        return .http(HTTPInitSpec(method: method, path: path, port: port, headers: headers, body: request.text("body")))
    }
}
