import EnvironmentGraph

/// Diagnosis: facts about an environment in, causes out, each with its evidence and the command that mends it.
///
/// Facts (``Facts``) are what was stored, observed and read when somebody asked; the module itself looks at nothing, so a
/// diagnosis of the same facts is always the same, and every rule can be tested with recorded ones. Data passes through
/// three stages:
///
/// 1. Every ``Rule`` of ``rules`` is asked. A rule of services is asked for each service that is in trouble; healthy
///    services are not read, so that a word such as "error" in their output means nothing.
/// 2. The most specific rule of a service gives its finding; the others that matched are kept in ``Finding/also``.
/// 3. ``Folding``: what only follows from another finding (a service waits for a database that is down) stands under it.
///
/// Nothing is guessed silently: a finding says how sure it is, and where no rule explains a service, the finding
/// `unexplained` says what was looked at. The module does not know where facts come from or how a suggestion is carried
/// out.
package enum Diagnosis {
    /// Every rule, the most specific first; this order decides which one speaks for a service. Docs list it.
    package static let rules: [Rule] =
        Rule.steps + Rule.starting + Rule.listening + Rule.programs + Rule.machine + Rule.databases + Rule.network
        + Rule.probes + Rule.endings + Rule.lineage + Rule.gateway + Rule.surroundings
        + [Rule.notStarted, Rule.unexplained]

    /// What is wrong, the cause before its consequences, the worst first; empty where all is well.
    package static func findings(_ facts: Facts) -> [Finding] {
        var drafts: [Finding] = []
        for var service in facts.services where service.trouble(in: facts) != nil {
            service.reading = Reading(service)
            if let finding = finding(of: service, facts) { drafts.append(finding) }
        }
        for rule in rules {
            guard case .environment(let find) = rule.asks else { continue }
            for draft in find(facts) where !isSaid(draft, rule, in: drafts) { drafts.append(Finding(draft, rule)) }
        }
        return Folding(facts: facts).folded(drafts)
    }

    private static func finding(of service: ServiceFacts, _ facts: Facts) -> Finding? {
        var found: [(rule: Rule, draft: Draft)] = []
        for rule in rules {
            guard case .service(let find) = rule.asks, rule.standing != .last || found.isEmpty else { continue }
            if let draft = find(service, facts) { found.append((rule, draft)) }
        }
        // A general rule gives way to one that says more, wherever it stands.
        guard let first = found.first(where: { $0.rule.standing == .specific }) ?? found.first else { return nil }
        var finding = Finding(first.draft, first.rule)
        finding.service = service.name
        finding.also = found.filter { $0.rule.code != first.rule.code && $0.rule.standing == .specific }
            .map { "\($0.rule.code): \($0.draft.cause)" }
        if service.trouble(in: facts)?.isProvisional == true { finding.severity = min(finding.severity, .warning) }
        return finding
    }

    /// An environment's rule adds nothing where a service's own finding speaks already, nor a general one where another
    /// has understood the same line.
    private static func isSaid(_ draft: Draft, _ rule: Rule, in findings: [Finding]) -> Bool {
        if rule.standing == .general, let line = draft.evidence.first,
            findings.contains(where: { $0.evidence.contains(line) })
        {
            return true
        }
        guard let service = draft.service else { return false }
        return findings.contains { $0.service == service }
    }
}
