import Blueprints
import EnvironmentGraph

/// What services say when they do not reach each other.
extension Rule {
    private static let refusals: [LinePattern] = [
        "ECONNREFUSED {}", "connection to server at {} failed: Connection refused", "Connection refused",
        "connection refused", "ConnectException", "Failed to connect to {}", "ConnectionRefusedError",
    ]
    private static let unresolved: [LinePattern] = [
        "getaddrinfo ENOTFOUND {}", "getaddrinfo EAI_AGAIN {}", "could not translate host name {} to address",
        "lookup {}: no such host", "lookup {} on ", "Could not resolve host: {}", "UnknownHostException: {}",
        "Could not connect to Redis at {}: Name or service not known", "Name or service not known",
        "Temporary failure in name resolution", "nodename nor servname provided",
        "failed to lookup address information",
        "Name does not resolve",
    ]

    static let network: [Rule] = [
        Rule(
            "literal_address", "The Blueprint gives an address of this machine where a service is meant.",
            says: refusals, confidence: .likely
        ) { sight in
            for host in ["localhost:", "127.0.0.1:"] {
                for variable in sight.service.variables(with: host) {
                    guard let port = sight.service.port(after: host, in: variable.value) else { continue }
                    // An address that was named for another reason, and answers.
                    guard !sight.facts.sockets.contains(where: { $0.port == port }) else { continue }
                    let meant = sight.facts.services.first { other in
                        other.spec.ports.contains { $0.containerPort == port }
                    }?.name
                    let use = "${services.\(meant ?? "<name>").address}"
                    return (
                        "\(sight.service.name) connects to \(host)\(port), which its variable \(variable.key) names literally and where nobody listens.",
                        sight.facts.edit(
                            sight.service.name, "env.\(variable.key)", "write \(use) instead of \(host)\(port)")
                    )
                }
            }
            return nil
        }.showing { service, _ in
            service.spec.env.sorted { $0.key < $1.key }.filter {
                $0.value.contains("localhost:") || $0.value.contains("127.0.0.1:")
            }.map(service.blueprintEvidence)
        },
        Rule(
            "service_name_as_host", "A service's name is used as a host name, which local processes cannot resolve.",
            says: unresolved
        ) { sight in
            let host = sight.first.word(upTo: [" ", ":", "\"", ",", "'"])
            let names = sight.facts.spec.services.map(\.name)
            let literal = names.first { name in
                sight.service.spec.env.values.contains { LiteralHost.isIn($0, name) }
            }
            guard let name = names.first(where: { $0 == host }) ?? (host.isEmpty || host == "[Errno" ? literal : nil)
            else { return nil }
            let variable = sight.service.variables(with: name).first { LiteralHost.isIn($0.value, name) }
            return (
                "\(sight.service.name) uses the service name \(name) as a host name, which leads nowhere for a local process.",
                sight.facts.edit(
                    sight.service.name, variable.map { "env.\($0.key)" } ?? "env",
                    "write ${services.\(name).address} (or .host, .port, .url)")
            )
        }.showing { service, facts in
            service.spec.env.sorted { $0.key < $1.key }.filter { variable in
                facts.spec.services.contains { LiteralHost.isIn(variable.value, $0.name) }
            }.map(service.blueprintEvidence)
        },
        Rule("host_unknown", "A host name cannot be resolved.", says: unresolved) { sight in
            let host = sight.first.word(upTo: [" ", ":", "\"", ",", "'"])
            let isNamed = !host.isEmpty && !host.hasPrefix("[")
            return (
                "\(sight.service.name) cannot find the host\(isNamed ? " \(host)" : " that it connects to").",
                sight.facts.repair(
                    sight.service.name, "see whether this machine resolves it",
                    command: isNamed
                        ? "getent hosts \(host)"
                        : "microstax env explain \(sight.facts.name) services.\(sight.service.name).env")
            )
        },
        Rule(
            "certificate_refused", "A TLS certificate is not trusted.",
            says: [
                "certificate verify failed: {}", "x509: {}", "self signed certificate", "self-signed certificate",
                "unable to get local issuer certificate", "PKIX path building failed",
            ]
        ) { sight in
            (
                "\(sight.service.name) does not trust the certificate of whom it connects to\(sight.first.isEmpty ? "" : ": \(sight.first)").",
                sight.facts.repair(
                    sight.service.name,
                    "give it the authority's certificate (`SSL_CERT_FILE`, `NODE_EXTRA_CA_CERTS`), or use http within the environment"
                )
            )
        },
        Rule(
            "dependency_refuses", "A service that it connects to does not answer.", says: refusals, standing: .general,
            confidence: .likely
        ) { sight in
            let address = sight.facts.addresses.first { address in
                address.caller == sight.service.name && sight.service.output.contains { $0.contains("\(address.port)") }
            }
            let down = sight.service.spec.dependsOn.map(\.service).first { name in
                sight.facts.service(name).map { $0.state != .ready } ?? false
            }
            guard let name = address?.service ?? down else { return nil }
            return (
                "\(sight.service.name) is refused by \(name), which it connects to.",
                [sight.facts.logs(name)]
            )
        },
        Rule(
            "connection_refused", "The service connects to where nobody listens.", says: refusals, standing: .general,
            confidence: .likely
        ) { sight in
            let place = sight.first.isEmpty ? "" : " (\(sight.first.word()))"
            return (
                "\(sight.service.name) connects to where nobody listens\(place).",
                sight.facts.edit(
                    sight.service.name, "env",
                    "see which address it was given; services are reached as `${services.<name>.url}`")
            )
        },
        Rule(
            "connection_times_out", "Whom the service connects to does not answer in time.",
            says: [
                "ETIMEDOUT {}", "Connection timed out", "connect timed out", "i/o timeout", "timeout expired",
                "ReadTimeout",
            ],
            standing: .general, confidence: .likely
        ) { sight in
            (
                "\(sight.service.name) waits in vain for an answer\(sight.first.isEmpty ? "" : " from \(sight.first.word())").",
                [sight.facts.logs(sight.service.name)]
            )
        },
    ]
}

extension Rule {
    /// The same rule, with more evidence before its own.
    func showing(_ more: @escaping @Sendable (ServiceFacts, Facts) -> [Evidence]) -> Rule {
        guard case .service(let find) = asks else { return self }
        return Rule(code, summary, shownBy: shownBy, severity: severity, standing: standing) { service, facts in
            guard var draft = find(service, facts) else { return nil }
            draft.evidence = more(service, facts).prefix(2) + draft.evidence
            return draft
        }
    }
}

/// A service's name that stands literally in an address: `@db:5432`, `//db/`, `db:5432`.
enum LiteralHost {
    static func isIn(_ value: String, _ name: String) -> Bool {
        guard value.contains(name) else { return false }
        if value == name { return true }
        let before = ["@", "//", ""], after = [":", "/", ""]
        for start in before {
            for end in after {
                let text = start + name + end
                if start.isEmpty, end != ":" { continue }
                if start.isEmpty ? value.hasPrefix(text) : end.isEmpty ? value.hasSuffix(text) : value.contains(text) {
                    return true
                }
            }
        }
        return false
    }
}

extension ServiceFacts {
    /// The number behind `localhost:`.
    fileprivate func port(after host: String, in value: String) -> Int? {
        guard let captures = LinePattern(host + "{}").captures(in: value) else { return nil }
        return Int(captures[0].prefix { $0.isNumber })
    }
}
