/// One cause, with what shows it and what mends it.
package struct Finding: Sendable, Hashable {
    package enum Severity: Int, Sendable, Hashable, Comparable, CaseIterable {
        /// Worth knowing; nothing has to be done.
        case notice
        /// Something will go wrong, or is not certain yet.
        case warning
        /// Something does not work.
        case error

        package static func < (a: Self, b: Self) -> Bool { a.rawValue < b.rawValue }
    }

    package enum Confidence: String, Sendable, Hashable, CaseIterable {
        case certain
        /// The evidence fits this cause better than others.
        case likely
        /// One of several possible causes.
        case guess
    }

    /// Stable; see ``Diagnosis/rules``.
    package var code: String
    package var severity: Severity
    package var confidence: Confidence
    /// `nil` where it is about the environment as a whole.
    package var service: String?
    /// One sentence.
    package var cause: String
    package var evidence: [Evidence]
    package var suggestions: [Suggestion]
    /// What only follows from it.
    package var consequences: [Consequence] = []
    /// Other rules that matched for the same service: `code: cause`.
    package var also: [String] = []
    /// Whether it may only follow from what the service depends on.
    var mayFollow: Bool

    init(_ draft: Draft, _ rule: Rule) {
        code = rule.code
        severity = draft.severity ?? rule.severity
        confidence = draft.confidence
        service = draft.service
        cause = draft.cause
        evidence = Array(draft.evidence.prefix(Evidence.limit))
        suggestions = draft.suggestions
        mayFollow = rule.standing != .specific
    }
}

/// A line, verbatim, and where it stands.
package struct Evidence: Sendable, Hashable {
    package enum Source: String, Sendable, Hashable, CaseIterable {
        /// What the runtime says of a service.
        case status
        case log
        /// Who listens where, by the machine.
        case port
        case blueprint
        case step
        case gateway
        case parent
        case machine
        case deviation
    }

    /// Of one finding.
    static let limit = 6
    static let lineLimit = 500

    package var source: Source
    package var line: String

    package init(_ source: Source, _ line: String) {
        self.source = source
        self.line = line.count > Self.lineLimit ? line.prefix(Self.lineLimit) + " …" : line
    }
}

/// A service that is down because of a finding.
package struct Consequence: Sendable, Hashable {
    package var service: String
    /// `waits for orders-db`.
    package var what: String

    package init(service: String, what: String) {
        self.service = service
        self.what = what
    }
}

/// What mends it.
package struct Suggestion: Sendable, Hashable {
    /// Something that the API can do by itself.
    package enum Action: Sendable, Hashable {
        case retry, resume, stop
        case restart(String)
        /// Resume another environment, by name.
        case resumeOther(String)
    }

    /// Unique within one diagnosis, such as `retry` or `restart-payments`; the same for the same advice.
    package var id: String
    package var title: String
    /// To type, where there is one that helps.
    package var command: String?
    /// `nil` where a person has to do it.
    package var action: Action?

    package init(id: String, title: String, command: String? = nil, action: Action? = nil) {
        self.id = id
        self.title = title
        self.command = command
        self.action = action
    }
}
