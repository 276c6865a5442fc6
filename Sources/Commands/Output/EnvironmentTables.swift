import API

/// Environments as text.
package enum EnvironmentTables {
    package static func list(_ environments: [EnvironmentView], now: Int64 = Timestamp.now) -> String {
        Table(
            ["NAME", "MODE", "STATE", "PARENT", "SERVICES", "AGE", "URL"],
            environments.map { environment in
                let parent = environment.parent
                let own = environment.serviceCount?.own ?? environment.services.count { $0.provider.kind == "local" }
                let all = environment.serviceCount?.all ?? environment.services.count
                return [
                    environment.name, environment.mode, environment.state + ending(environment, now: now),
                    parent.map(written) ?? "",
                    own == all ? "\(all)" : "\(own) of \(all)", Timestamp.age(environment.createdAt, now: now),
                    environment.endpoints.first?.url ?? "",
                ]
            }
        ).rendered()
    }

    /// ` (ends in 50m)` for one whose end is near: a day or less.
    private static func ending(_ environment: EnvironmentView, now: Int64) -> String {
        guard let end = environment.expiresAt.flatMap(Timestamp.milliseconds), end - now <= 86_400_000 else {
            return ""
        }
        return " (ends \(Timestamp.until(Timestamp.text(end), now: now)))"
    }

    package static func status(_ environment: EnvironmentView) -> String {
        heading(environment) + "\n" + services(environment)
    }

    package static func detail(_ environment: EnvironmentView, now: Int64 = Timestamp.now) -> String {
        let labels = environment.labels.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }
        let lines: [(String, String?)] = [
            ("name", environment.name), ("id", environment.id), ("mode", environment.mode),
            ("state", environment.state), ("message", message(environment)),
            ("revision", String(environment.revision)), ("overlay id", environment.overlayId),
            ("parent", environment.parent.map(written)), ("fingerprint", environment.fingerprint),
            ("  of plan", environment.fingerprints?.plan), ("  of resolution", environment.fingerprints?.resolution),
            ("layers", environment.layers?.joined(separator: ", ")),
            ("labels", labels.isEmpty ? nil : labels.joined(separator: " ")),
            ("created", "\(environment.createdAt) (\(Timestamp.age(environment.createdAt, now: now)) ago)"),
            ("updated", "\(environment.updatedAt) (\(Timestamp.age(environment.updatedAt, now: now)) ago)"),
            ("expires", environment.expiresAt.map { "\($0) (\(Timestamp.until($0, now: now)))" }),
            ("execution", environment.execution),
        ]
        let text = lines.compactMap { name, value in
            value.map { DisplayWidth.padded(name, to: environment.fingerprints == nil ? 12 : 17) + $0.visible + "\n" }
        }.joined()
        return text + endpoints(environment) + "\n" + services(environment)
    }

    /// Nothing where nothing is exposed; else a table after an empty line.
    package static func endpoints(_ environment: EnvironmentView) -> String {
        guard !environment.endpoints.isEmpty else { return "" }
        return "\n"
            + Table(
                ["SERVICE", "URL", "HOST URL"], environment.endpoints.map { [$0.service, $0.url, $0.hostUrl] }
            ).rendered()
    }

    /// What is stopped says how it starts again.
    private static func message(_ environment: EnvironmentView) -> String? {
        guard environment.state == "stopped" else { return environment.message }
        let why = environment.message.map { "stopped: \($0); " } ?? ""
        return why + "start it with: microstax env resume \(environment.name)"
    }

    private static func heading(_ environment: EnvironmentView) -> String {
        var text = "\(environment.name)  \(environment.mode)  \(environment.state)  revision \(environment.revision)"
        if let parent = environment.parent { text += "  on \(written(parent))" }
        if let message = message(environment) {
            text += "\n" + message.split(separator: "\n").map { String($0).visible }.joined(separator: "\n  ")
        }
        return text + "\n"
    }

    private static func services(_ environment: EnvironmentView) -> String {
        Table(
            ["SERVICE", "PROVIDER", "STATE", "READY", "RESTARTS", "MESSAGE"],
            environment.services.map { service in
                [
                    service.name,
                    service.state == "removed"
                        ? "" : ExplanationTables.provider(service.provider, in: environment.name), service.state,
                    "\(service.replicas.ready)/\(service.replicas.desired)", String(service.restarts),
                    service.message?.firstLine ?? "",
                ]
            }
        ).rendered()
    }

    private static func written(_ parent: EnvironmentView.Parent) -> String {
        let behind = parent.latestRevision - parent.revision
        return "\(parent.name)#r\(parent.revision)" + (behind > 0 ? " (\(behind) behind)" : "")
    }
}
