import Blueprints
import EnvironmentGraph

/// What stands between a request and a service.
extension Rule {
    static let gateway: [Rule] = [
        Rule(
            environment: "gateway_down", "The gateway does not answer.", shownBy: "the gateway's control socket"
        ) { facts in
            guard let problem = facts.gateway.problem else { return [] }
            return [
                Draft(
                    "the gateway does not answer, so no address of \(facts.name) leads anywhere.",
                    [Evidence(.gateway, problem)],
                    [
                        Suggestion(
                            id: "gateway-log", title: "it is started again within seconds; if it stays away, see why",
                            command: "tail -20 \(facts.machine.stateFolder)/gateway/gateway.log")
                    ])
            ]
        },
        Rule(
            environment: "gateway_cannot_listen", "The gateway cannot listen on one of the environment's addresses.",
            shownBy: "the gateway's refused listeners and the machine's listening sockets"
        ) { facts in
            facts.gateway.refused.sorted { $0.key < $1.key }.map { port, reason in
                let address = facts.addresses.first { $0.port == port }
                let whose =
                    address.map { "the address of \($0.service) for \($0.caller ?? "requests from outside")" }
                    ?? "an address"
                let owner = facts.sockets.first { $0.port == port }
                return Draft(
                    "the gateway cannot listen on port \(port), \(whose)\(owner.map { ": pid \($0.pid) (\($0.program)) has it" } ?? "").",
                    [Evidence(.gateway, "port \(port): \(reason)")]
                        + (owner.map { [Evidence(.port, $0.written)] } ?? []),
                    [
                        Suggestion(
                            id: "free-\(port)",
                            title: "end the program that has the port; the gateway tries again by itself",
                            command: owner.map { "kill \($0.pid)" } ?? "ss -ltnp 'sport = :\(port)'")
                    ])
            }
        },
        Rule(
            environment: "context_lost", "A service does not pass on the context of what it answers.",
            shownBy: "the gateway's counts of calls, held against what their callers were answering", severity: .warning
        ) { facts in
            let leaks = Dictionary(grouping: facts.gateway.leaks, by: \.caller).sorted { $0.key < $1.key }
            let header = facts.spec.routing.headerName
            return leaks.map { caller, counts in
                let suspected = counts.filter { !$0.isRestored }
                let effect =
                    suspected.isEmpty
                    ? "their context was put right, as it answered one request only"
                    : "what it called may have been another environment's code, and a test that passed proves nothing"
                return Draft(
                    "\(caller) drops the routing context when it calls \(Set(counts.map(\.service)).sorted().joined(separator: " and ")): \(effect).",
                    counts.prefix(3).map {
                        Evidence(
                            .gateway,
                            "\($0.caller) → \($0.service): \($0.isRestored ? "restored" : "suspected"), \($0.count) times"
                        )
                    },
                    [
                        Suggestion(
                            id: "forward-\(caller)",
                            title:
                                "let \(caller) forward one of the headers \(header), baggage, tracestate, traceparent; until then `routing.onLeak: reject` keeps such calls from passing",
                            command: "microstax env traces \(facts.name) --leaks")
                    ], service: facts.service(caller) == nil ? nil : caller)
            }
        },
        Rule(
            environment: "unknown_context", "Requests come with an overlay that does not exist.",
            shownBy: "the gateway's counts", severity: .warning
        ) { facts in
            let counts = facts.gateway.errors.filter { $0.error == "unknown_environment" }
            let total = counts.reduce(0) { $0 + $1.count }
            guard total > 0 else { return [] }
            return [
                Draft(
                    "\(total) request\(total == 1 ? "" : "s") named an overlay that does not exist on \(facts.name), and got 404.",
                    counts.prefix(3).map {
                        Evidence(.gateway, "\($0.caller) → \($0.service): unknown_environment, \($0.count) times")
                    },
                    [
                        Suggestion(
                            id: "overlays", title: "compare the name in the header with those that exist",
                            command: "microstax overlay list --baseline \(facts.name)")
                    ])
            ]
        },
        Rule(
            environment: "answers_break_off", "A service breaks off answers or takes too long for them.",
            shownBy: "the gateway's counts", severity: .warning
        ) { facts in
            ["upstream_reset", "response_timeout"].flatMap { error in
                facts.gateway.errors.filter { $0.error == error && $0.count >= 3 }.map { count in
                    Draft(
                        "\(count.service) \(error == "upstream_reset" ? "broke off" : "took too long for") \(count.count) answers to \(count.caller).",
                        [Evidence(.gateway, "\(count.caller) → \(count.service): \(error), \(count.count) times")],
                        [facts.logs(count.service)], confidence: .likely, service: count.service)
                }
            }
        },
        stepFailed, stepTriedAgain,
    ]
}
