import Blueprints

/// What will be exercised in an environment, and therefore starts with it.
///
/// A pure function of the graph of services, of what is known to be changed, and of what was seen of calls. It errs on the safe
/// side: without anything known to be changed everything starts, what was observed only ever adds, and what a request cannot
/// wake is cold only where nothing that starts reaches it. See ADR 33.
package struct Prediction: Sendable, Hashable, Codable {
    package enum Verdict: String, Sendable, Hashable, Codable {
        /// The overlay runs its own copy, from the start.
        case local
        /// Somebody above answers.
        case inherited
        /// It starts with its environment.
        case eager
        /// It starts when somebody needs it.
        case cold
    }

    package struct Service: Sendable, Hashable, Codable {
        package var name: String
        package var verdict: Verdict
        /// Whether requests that the change is tried with are expected to reach it.
        package var isExercised: Bool
        /// For a person.
        package var reason: String
        /// As observed; `nil` where nothing was.
        package var traffic: Traffic?
    }

    /// Sorted by name; none for what is removed.
    package var services: [Service]
    /// What is taken for changed; `nil` where nothing is known to be.
    package var changed: [String]?

    /// What is expected to be exercised; `nil` for everything.
    package var exercised: Set<String>? {
        changed == nil ? nil : Set(services.filter(\.isExercised).map(\.name))
    }

    /// The same with what was decided when the environment was made, where what was seen since would decide otherwise.
    package func asDecided(for record: EnvironmentRecord) -> Prediction {
        var decided = self
        for index in services.indices where services[index].verdict != .inherited {
            let service = services[index]
            guard let spec = record.spec.service(service.name) else { continue }
            let isCold = record.startsOnDemand(spec)
            if let expected = record.expected { decided.services[index].isExercised = expected.contains(service.name) }
            guard isCold != (service.verdict == .cold) else { continue }
            decided.services[index].verdict = isCold ? .cold : record.mode == .overlay ? .local : .eager
            decided.services[index].reason =
                isCold
                ? "was not expected; from what is known now: \(service.reason)" : "was expected when it was decided"
        }
        return decided
    }

    package func service(_ name: String) -> Service? { services.first { $0.name == name } }

    package var cold: Set<String> { Set(services.filter { $0.verdict == .cold }.map(\.name)) }

    /// A service that at least this share of the requests through an entry point reached is expected to be reached, although
    /// it is on no path to what is changed.
    package static let likelyShare = 0.5
    /// Of fewer requests no share is told from chance.
    package static let fewestRequests: UInt64 = 20
}
