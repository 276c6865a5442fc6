/// What happens to an environment by time alone, and why; a pure function of what is known and the time.
package struct LifecycleDecision: Sendable, Hashable {
    package enum Rule: String, Sendable, Hashable, CaseIterable {
        /// In the order in which they go first.
        case ttl, schedule, idle
    }

    package enum Action: Sendable, Hashable {
        case nothing
        /// Say that its end is near.
        case warn
        case stop, resume, delete
        /// It would be done, but something stands against it that somebody should know of.
        case holdBack
    }

    /// What one rule says.
    package struct Finding: Sendable, Hashable {
        package var rule: Rule
        package var action: Action
        /// For a person: `idle for 30 min`.
        package var why: String
        /// When this rule should be asked again; `nil`: not before something changes.
        package var lookAgainAt: Int64?

        package init(_ rule: Rule, _ action: Action, _ why: String, lookAgainAt: Int64? = nil) {
            self.rule = rule
            self.action = action
            self.why = why
            self.lookAgainAt = lookAgainAt
        }
    }

    /// Of every rule that concerns the environment.
    package let findings: [Finding]

    /// What is to be done: the first rule that does something.
    package var action: Finding? {
        findings.first { ![.nothing, .holdBack].contains($0.action) }
    }

    package var heldBack: [Finding] { findings.filter { $0.action == .holdBack } }

    package var lookAgainAt: Int64? { findings.compactMap(\.lookAgainAt).min() }

    package init(findings: [Finding]) { self.findings = findings }

    package static func of(_ facts: LifecycleFacts, now: Int64) -> LifecycleDecision {
        guard ![.deleting, .deleted].contains(facts.record.state) else { return LifecycleDecision(findings: []) }
        let rules = LifecycleRules(facts: facts, now: now)
        return LifecycleDecision(findings: [rules.ttl(), rules.schedule(), rules.idle()].compactMap { $0 })
    }
}
