import Blueprints

/// An environment with everything above it: overlay → overlay → … → baseline.
package struct Lineage: Sendable, Hashable {
    /// The environment itself first, the baseline last; never empty.
    package let environments: [EnvironmentRecord]

    /// - Parameter find: gives an environment by id.
    /// - Returns: `nil` where an ancestor is missing or the chain does not end, neither of which a store allows.
    package init?(of environment: EnvironmentRecord, find: (EnvironmentID) throws -> EnvironmentRecord?) rethrows {
        var chain = [environment]
        while let parent = chain[chain.count - 1].parent {
            guard chain.count < 64, let next = try find(parent.id) else { return nil }
            chain.append(next)
        }
        environments = chain
    }

    package var root: EnvironmentRecord { environments[environments.count - 1] }

    /// Every service that can be asked for, also those that an ancestor has gained since the overlay was made. Sorted.
    package var services: [String] {
        Set(environments.flatMap { $0.spec.services.map(\.name) + $0.difference.removed }).sorted()
    }

    /// Who answers for a service: the first of the environment itself, each ancestor, the baseline, that has it or
    /// removed it. Health plays no part, so that nobody is answered by somebody else's code.
    package func resolve(_ service: String) -> Resolution {
        var candidates: [Resolution.Candidate] = []
        var provider: Resolution.Provider?
        var absence = Resolution.Absence.unknown
        var decided = false
        for (depth, environment) in environments.enumerated() {
            let kind = kind(at: depth)
            let verdict = verdict(on: service, in: environment, decided: decided)
            if verdict.chosen {
                provider = self.provider(at: depth)
            }
            if verdict.ends, !verdict.chosen, !decided { absence = .removed(by: environment.id) }
            decided = decided || verdict.ends
            candidates.append(
                Resolution.Candidate(
                    environment: environment.id, name: environment.name, kind: kind, chosen: verdict.chosen,
                    why: verdict.why))
        }
        return Resolution(
            service: service, provider: provider, absence: provider == nil ? absence : nil, candidates: candidates)
    }

    /// What ``resolve(_:)`` finds for every service that somebody answers for, at once: how many environments above it is.
    package var places: [String: Int] {
        var found: [String: Int?] = [:]
        for (depth, environment) in environments.enumerated() {
            for entry in environment.difference.entries where found[entry.service] == nil {
                switch entry.kind {
                case .added, .changed, .follows, .carried: found.updateValue(depth, forKey: entry.service)
                case .removed: found.updateValue(nil, forKey: entry.service)
                case .inherited: break
                }
            }
        }
        return found.compactMapValues { $0 }
    }

    func provider(at depth: Int) -> Resolution.Provider {
        let environment = environments[depth]
        return Resolution.Provider(
            kind: kind(at: depth), environment: environment.id, name: environment.name, revision: environment.revision)
    }

    private func kind(at depth: Int) -> Resolution.Kind {
        if depth == 0 { return .local }
        return environments[depth].mode == .overlay ? .ancestor : .baseline
    }

    private func verdict(
        on service: String, in environment: EnvironmentRecord, decided: Bool
    ) -> (chosen: Bool, ends: Bool, why: String) {
        let entry = environment.difference.entry(of: service)
        switch entry?.kind {
        case .added, .changed, .follows, .carried:
            if decided { return (false, true, "has a copy, but what is nearer decides") }
            return (true, true, Self.why(entry))
        case .removed:
            return (false, true, decided ? "removed it, but what is nearer decides" : "removed it; nobody answers")
        case .inherited, nil:
            return (false, false, entry == nil ? "does not have it" : "did not change it")
        }
    }

    private static func why(_ entry: Difference.Entry?) -> String {
        switch entry?.kind {
        case .changed: "changed " + (entry?.reasons.joined(separator: ", ") ?? "")
        case .follows, .carried: entry?.reasons.joined(separator: ", ") ?? ""
        default: "runs it"
        }
    }
}

/// The decision for (environment, service), with the candidates that lost and why.
package struct Resolution: Sendable, Hashable {
    package enum Kind: String, Sendable, Hashable {
        case local, ancestor, baseline, shared
    }

    package struct Provider: Sendable, Hashable {
        package let kind: Kind
        package let environment: EnvironmentID
        package let name: String
        package let revision: Int
    }

    package struct Candidate: Sendable, Hashable {
        package let environment: EnvironmentID
        package let name: String
        package let kind: Kind
        package let chosen: Bool
        package let why: String
    }

    /// Why nobody answers.
    package enum Absence: Sendable, Hashable {
        case removed(by: EnvironmentID)
        /// No environment of the lineage has ever had it.
        case unknown

        var kind: String {
            switch self {
            case .removed: "removed"
            case .unknown: "unknown"
            }
        }
    }

    package let service: String
    /// `nil` where nobody answers.
    package let provider: Provider?
    /// There where, and only where, `provider` is not.
    package let absence: Absence?
    /// Nearest first.
    package let candidates: [Candidate]
}
