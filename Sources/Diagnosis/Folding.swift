import Blueprints
import EnvironmentGraph

/// Puts what only follows from another finding under it.
///
/// A finding whose rule is general (it ends with an error, it is refused, it never becomes ready), or that says only that
/// the service was not started, follows from the finding of a service that it depends on, directly or over others.
struct Folding: Sendable {
    let facts: Facts

    /// - Returns: the causes, the worst first.
    func folded(_ findings: [Finding]) -> [Finding] {
        let byService = Dictionary(
            findings.compactMap { finding in finding.service.map { ($0, finding) } },
            uniquingKeysWith: { first, _ in first })
        var consequences: [String: [Consequence]] = [:]
        var folded: Set<String> = []
        for (service, finding) in byService.sorted(by: { $0.key < $1.key }) where finding.mayFollow {
            let isWaiting = isWaiting(service)
            let found = cause(of: service, byService) ?? (isWaiting ? failedStep(byService, but: service) : nil)
            // In a circle, one has to stay.
            guard let (root, next) = found, !folded.contains(root) else { continue }
            folded.insert(service)
            let what = isWaiting ? next.map { "waits for \($0)" } ?? "was not started" : finding.cause
            consequences[root, default: []].append(Consequence(service: service, what: what))
        }
        var causes = findings.filter { finding in
            guard let service = finding.service else { return true }
            return !folded.contains(service) || !finding.mayFollow
        }
        for index in causes.indices {
            guard let service = causes[index].service, byService[service] == causes[index] else { continue }
            causes[index].consequences = consequences[service] ?? []
        }
        return causes.enumerated().sorted { a, b in
            let (x, y) = (a.element, b.element)
            if x.severity != y.severity { return x.severity > y.severity }
            if x.consequences.count != y.consequences.count { return x.consequences.count > y.consequences.count }
            return a.offset < b.offset
        }.map(\.element)
    }

    private func isWaiting(_ service: String) -> Bool {
        [.absent, .pending, nil].contains(facts.service(service)?.state)
    }

    /// What was not started because somebody else's step failed first.
    private func failedStep(_ findings: [String: Finding], but service: String) -> (root: String, next: String?)? {
        facts.failedSteps.compactMap(\.service).first { $0 != service && findings[$0] != nil }.map { ($0, nil) }
    }

    /// The service at the end of the chain of findings that starts at what this one depends on, and its first link.
    private func cause(of service: String, _ findings: [String: Finding]) -> (root: String, next: String?)? {
        var seen: Set<String> = [service]
        var current = service
        var first: String?
        while let next = dependencies(of: current).first(where: {
            findings[$0]?.isTrouble == true && !seen.contains($0)
        }) {
            seen.insert(next)
            first = first ?? next
            current = next
            if findings[next]?.mayFollow == false { break }
        }
        return first.map { (current, $0) }
    }

    private func dependencies(of service: String) -> [String] {
        facts.spec.service(service)?.dependsOn.map(\.service) ?? []
    }
}

extension Finding {
    /// Whether others may be down because of it.
    fileprivate var isTrouble: Bool { severity != .notice }
}
