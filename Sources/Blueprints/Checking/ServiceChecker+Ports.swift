extension ServiceChecker {
    func readPorts(_ draft: inout ServiceDraft) {
        var numbers: [String: (number: Int, line: Int)] = [:]
        for (index, item) in (fields.list("ports", hint: "write a list: [\"8080\"]") ?? []).enumerated() {
            let path = "\(fields.path).ports.\(item.name.map(shortened) ?? "\(index)")"
            guard let port = Fields(item, path, known: Grammar.port.keys, findings) else { continue }
            // Text that is no port was reported when it was read.
            guard let name = port.text("name") else { continue }
            _ = NameRule.check(name, "port name", at: port.at("name"), findings)
            let range = 1...65_535
            let container = number(port, "containerPort", range)
            let host = number(port, "hostPort", range)
            let written: PortProtocol? = port.choice("protocol")
            if let container {
                if let before = numbers.values.first(where: { $0.number == container }) {
                    findings.error(
                        "duplicate_port", "port \(container) is listed twice; first in line \(before.line)",
                        at: port.at("containerPort"))
                }
                numbers[name] = (container, port.at("containerPort").line)
            }
            let transport = written ?? (port.has("protocol") ? .http : PortProtocol(rawValue: name) ?? .http)
            let tls = readTLS(port)
            if tls != nil, transport == .tcp {
                findings.error(
                    "invalid_tls", "`\(port.name("tls"))` is for protocols whose requests are routed, not for `tcp`",
                    at: port.at("tls"), hint: "leave it out: bytes of `tcp` pass as they are, TLS or not")
            }
            draft.spec.ports.append(
                PortSpec(name: name, containerPort: container, transport: transport, hostPort: host, tls: tls))
            draft.portLocations[name] = port.has("hostPort") ? port.at("hostPort") : port.map.location
        }
    }

    /// `tls: true`, or `tls: {serverName, ca}`.
    private func readTLS(_ port: Fields) -> PortTLS? {
        guard let value = port.value("tls") else { return nil }
        if case .scalar(_, .boolean) = value.content { return port.boolean("tls") == true ? PortTLS() : nil }
        let hint = "write `tls: true`, or {serverName: payments.internal, ca: <certificates in PEM>}"
        guard let map = port.fields("tls", known: Grammar.tls.keys, hint: hint) else { return nil }
        let authorities = map.nonEmptyText("ca")
        if let authorities, !authorities.contains("-----BEGIN CERTIFICATE-----") {
            findings.error(
                "invalid_tls", "`\(map.name("ca"))` is no certificate in PEM", at: map.at("ca"),
                hint: "write the text of the file itself, under `ca: |`")
        }
        return PortTLS(serverName: map.nonEmptyText("serverName") ?? PortTLS.usualName, authorities: authorities)
    }

    private func number(_ port: Fields, _ key: String, _ range: ClosedRange<Int>) -> Int? {
        guard let value = port.value(key) else { return nil }
        guard let text = value.text, let number = PlainScalar.integer(text), range.contains(number) else {
            findings.error(
                "invalid_port", "`\(port.name(key))` must be a number from 1 to 65535", at: value.location)
            return nil
        }
        return number
    }

    /// The name of the port that a probe or a request means: by name, or by number.
    func portName(_ map: Fields, _ spec: ServiceSpec) -> String? {
        guard let text = map.text("port") else {
            if spec.ports.isEmpty, !isPartial, !map.has("port") {
                findings.error(
                    "missing_field", "`\(map.path)` needs a port, and `\(fields.path)` has none", at: map.map.location,
                    hint: "ports: [\"8080\"]")
            }
            return nil
        }
        if spec.ports.contains(where: { $0.name == text }) { return text }
        if let number = Int(text),
            let port = spec.ports.first(where: { $0.containerPort == number })
                ?? spec.ports.first(where: { $0.hostPort == number })
        {
            return port.name
        }
        guard !isPartial else { return text }
        let names = spec.ports.map(\.name)
        let all = names.isEmpty ? "no ports" : Fields.alternatives(names)
        findings.error(
            "unknown_port", "`\(fields.path)` has \(all), not `\(shortened(text))`", at: map.at("port"),
            hint: NearMiss.hint(text, among: names))
        return nil
    }
}
