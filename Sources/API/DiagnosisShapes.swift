/// `GET /v1/environments/{id}/diagnosis`: what is wrong with an environment, and what mends it.
package struct DiagnosisView: Codable, Sendable, Hashable {
    package var environment: EnvironmentView
    /// No finding is an error.
    package var healthy: Bool
    /// The cause before what follows from it, the worst first; empty where all is well.
    package var findings: [FindingView]
    /// What was looked at, such as `7 services`.
    package var lookedAt: [String]

    package init(environment: EnvironmentView, healthy: Bool, findings: [FindingView], lookedAt: [String]) {
        self.environment = environment
        self.healthy = healthy
        self.findings = findings
        self.lookedAt = lookedAt
    }
}

package struct FindingView: Codable, Sendable, Hashable {
    /// Stable; docs/reference/diagnose.md lists them.
    package var code: String
    /// `error`, `warning` or `notice`.
    package var severity: String
    /// `certain`, `likely` or `guess`.
    package var confidence: String
    /// Absent where it is about the environment as a whole.
    package var service: String?
    /// One sentence.
    package var cause: String
    package var evidence: [EvidenceView]
    package var suggestions: [SuggestionView]
    /// Services that are down because of it.
    package var consequences: [ConsequenceView]
    /// What else matched for the same service: `code: cause`.
    package var also: [String]

    package init(
        code: String, severity: String, confidence: String, service: String?, cause: String, evidence: [EvidenceView],
        suggestions: [SuggestionView], consequences: [ConsequenceView], also: [String]
    ) {
        self.code = code
        self.severity = severity
        self.confidence = confidence
        self.service = service
        self.cause = cause
        self.evidence = evidence
        self.suggestions = suggestions
        self.consequences = consequences
        self.also = also
    }
}

package struct EvidenceView: Codable, Sendable, Hashable {
    /// `status`, `log`, `port`, `blueprint`, `step`, `gateway`, `parent`, `machine` or `deviation`.
    package var source: String
    /// Verbatim; a long line is cut and ends with ` …`.
    package var line: String

    package init(source: String, line: String) {
        self.source = source
        self.line = line
    }
}

package struct SuggestionView: Codable, Sendable, Hashable {
    /// For `--apply`; unique within the diagnosis, and the same for the same advice.
    package var id: String
    package var title: String
    /// To type, where there is one.
    package var command: String?
    /// Whether `--apply` does it; a person has to do the others.
    package var applicable: Bool
    /// What `--apply` asks the API for: the operation, and the service or environment that it is about.
    package var operation: String?
    package var target: String?

    package init(
        id: String, title: String, command: String?, applicable: Bool, operation: String? = nil, target: String? = nil
    ) {
        self.id = id
        self.title = title
        self.command = command
        self.applicable = applicable
        self.operation = operation
        self.target = target
    }
}

package struct ConsequenceView: Codable, Sendable, Hashable {
    package var service: String
    package var what: String

    package init(service: String, what: String) {
        self.service = service
        self.what = what
    }
}
