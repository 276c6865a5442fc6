import Blueprints
import EnvironmentGraph

/// What probes were answered. The runtime's words for it are its port's: `GET /path on port N answered 500`.
extension Rule {
    static let probes: [Rule] = [
        Rule(
            "probe_path_missing", "The readiness path does not exist in the service.",
            says: ["GET {} on port {} answered 404"], by: [.status]
        ) { sight in
            (
                "\(sight.service.name) runs, but answers 404 to its probe's path \(sight.first).",
                sight.facts.edit(
                    sight.service.name, "probes",
                    "name a path that the service answers with 2xx, or add \(sight.first) to the service")
            )
        },
        Rule(
            "probe_needs_login", "The readiness path asks for a login.",
            says: ["GET {} on port {} answered 401", "GET {} on port {} answered 403"], by: [.status]
        ) { sight in
            (
                "\(sight.service.name) runs, but wants a login for its probe's path \(sight.first).",
                sight.facts.edit(sight.service.name, "probes", "probe a path that needs no login, or use a tcp probe")
            )
        },
        Rule(
            "probe_answers_error", "The service answers its own probe with an error.",
            says: ["GET {} on port {} answered 5{}"], by: [.status], standing: .general
        ) { sight in
            (
                "\(sight.service.name) runs, but says itself that it is not well: GET \(sight.first) answers 5\(sight.captures.last?.word(upTo: [" ", ";"]) ?? "xx").",
                [
                    sight.facts.logs(sight.service.name),
                    Suggestion(
                        id: "ask-\(sight.service.name)", title: "read the answer itself",
                        command:
                            "curl -i http://127.0.0.1:\(sight.captures.count > 1 ? sight.captures[1].trimmed : "")\(sight.first)"
                    ),
                ]
            )
        },
        Rule(
            "speaks_no_http", "What listens on the port does not speak HTTP.",
            says: ["GET {} on port {}: the answer is no HTTP"], by: [.status]
        ) { sight in
            (
                "\(sight.service.name) listens, but does not answer its probe in HTTP.",
                sight.facts.edit(sight.service.name, "probes", "use a tcp probe, or probe the port that speaks HTTP")
            )
        },
        Rule(
            "liveness_kills", "The liveness probe kills a service that is only slow.",
            shownBy: "the liveness probe's last answer, or a stop that nobody asked for"
        ) { service, facts in
            guard let liveness = service.spec.probes.liveness else { return nil }
            let told = service.message.flatMap { $0.contains("liveness: ") ? Evidence(.status, $0) : nil }
            let stop = service.log.last { $0.isEvent && $0.text.hasPrefix("stopping with ") }
            guard let shown = told ?? stop.map({ Evidence(.status, $0.text) }), told != nil || service.restarts > 0
            else { return nil }
            let seconds = liveness.timeoutSeconds
            return Draft(
                "\(service.name) is started anew again and again, because its liveness probe gets no good answer within \(Self.written(seconds)) s.",
                [
                    shown,
                    Evidence(
                        .blueprint,
                        "services.\(service.name).probes.liveness: every \(Self.written(liveness.periodSeconds)) s, timeout \(Self.written(seconds)) s, \(liveness.failureThreshold) failures"
                    ), service.statusEvidence,
                ],
                facts.edit(
                    service.name, "probes.liveness",
                    "give it more time (timeoutSeconds, failureThreshold), or probe something cheaper"),
                confidence: told == nil ? .likely : .certain)
        },
        Rule(
            "log_probe_never_matches", "No line of output matches the probe's pattern.",
            says: ["no line matched /{}/"], by: [.status]
        ) { sight in
            (
                "\(sight.service.name) runs, but has not written a line that matches its probe's pattern /\(sight.first)/.",
                sight.facts.edit(sight.service.name, "probes", "write the pattern as the service says it")
            )
        },
        Rule(
            "exec_probe_fails", "The probe's command fails.",
            says: ["exec exited with {}", "exec ran longer than {} s"], by: [.status],
            standing: .general
        ) { sight in
            (
                "\(sight.service.name) runs, but its probe's command does not succeed (\(sight.line.contains("ran longer") ? "too slow" : "exit code \(sight.first.word(upTo: [" ", ":", ";"]))")).",
                sight.facts.edit(sight.service.name, "probes", "run the probe's command by hand, and correct it")
            )
        },
        listensNowhere,
        Rule(
            "not_ready_in_time", "The service was still starting when its probe's limit passed.",
            says: ["gave up after {} s"], by: [.status], standing: .general, confidence: .guess
        ) { sight in
            (
                "\(sight.service.name) was ended because it was not ready within \(sight.first) s; it may need longer, or never become ready.",
                sight.facts.edit(
                    sight.service.name, "probes",
                    "if it only needs longer, raise failureThreshold, or give it a startup probe with more time")
            )
        },
        Rule(
            "probe_times_out", "The service accepts connections and does not answer its probe in time.",
            says: ["within the probe's timeout"], by: [.status], standing: .general,
            confidence: .likely
        ) { sight in
            (
                "\(sight.service.name) listens, but does not answer its probe in time.",
                sight.facts.edit(
                    sight.service.name, "probes",
                    "see what it is busy with; give the probe a longer timeoutSeconds if it is only slow")
            )
        },
    ]

    static func written(_ seconds: Double) -> String {
        seconds == seconds.rounded() ? String(Int(seconds)) : String(seconds)
    }
}
