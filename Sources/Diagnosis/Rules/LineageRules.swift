import Blueprints
import EnvironmentGraph

/// What an overlay stands on.
extension Rule {
    static let lineage: [Rule] = [
        Rule(
            environment: "parent_stopped", "What the overlay stands on is stopped.", shownBy: "the parent's state"
        ) { facts in
            facts.ancestors.filter { [.stopped, .stopping].contains($0.record.state) }.map { ancestor in
                let parent = ancestor.record.name
                let names = facts.inherited(from: ancestor)
                return Draft(
                    "\(parent), which \(facts.name) stands on, is stopped, so \(Self.written(names)) answer nothing.",
                    [Evidence(.parent, "\(parent) is \(ancestor.record.state.rawValue)")],
                    [
                        Suggestion(
                            id: "resume-\(parent)", title: "start it again", command: "microstax env resume \(parent)",
                            action: .resumeOther(parent))
                    ])
            }
        },
        Rule(
            environment: "provider_down", "A service that the overlay inherits is down where it runs.",
            shownBy: "the parent's services"
        ) { facts in
            facts.ancestors.filter { ![.stopped, .stopping].contains($0.record.state) }.flatMap { ancestor in
                facts.inherited(from: ancestor).compactMap { service -> Draft? in
                    guard let state = ancestor.services[service], state != "ready" else { return nil }
                    let parent = ancestor.record.name
                    let message = ancestor.messages[service].map { ": \($0.split(separator: "\n").first ?? "")" } ?? ""
                    return Draft(
                        "\(service), which \(facts.name) inherits from \(parent), is \(state) there.",
                        [Evidence(.parent, "\(parent)/\(service) is \(state)\(message)")],
                        [
                            Suggestion(
                                id: "diagnose-\(parent)", title: "see why, where it runs",
                                command: "microstax env diagnose \(parent)")
                        ], service: service)
                }
            }
        },
        Rule(
            environment: "parent_in_error", "What the overlay stands on did not come up.", shownBy: "the parent's state"
        ) { facts in
            facts.ancestors.filter { $0.record.state == .error && !facts.inherited(from: $0).isEmpty }.map { ancestor in
                let parent = ancestor.record.name
                return Draft(
                    "\(parent), which \(facts.name) stands on, is in error.",
                    [
                        Evidence(
                            .parent,
                            "\(parent) is error: \(ancestor.record.message?.split(separator: "\n").first ?? "")")
                    ],
                    [
                        Suggestion(
                            id: "diagnose-\(parent)", title: "see why", command: "microstax env diagnose \(parent)")
                    ], severity: .warning)
            }
        },
    ]

    private static func written(_ names: [String]) -> String {
        names.isEmpty
            ? "its inherited services" : names.prefix(5).joined(separator: ", ") + (names.count > 5 ? ", …" : "")
    }
}

extension Facts {
    /// The services of this environment whose copy runs in an ancestor.
    func inherited(from ancestor: AncestorFacts) -> [String] {
        let nearer = [environment] + ancestors.map(\.record).prefix { $0.id != ancestor.record.id }
        return ancestor.record.difference.localNames.filter { name in
            !nearer.contains { $0.difference.isLocal(name) || $0.difference.removed.contains(name) }
        }
    }
}
