/// One way in which things go wrong, and how it is recognised.
package struct Rule: Sendable {
    enum Asks: Sendable {
        /// For each service that is in trouble.
        case service(@Sendable (ServiceFacts, Facts) -> Draft?)
        /// Once.
        case environment(@Sendable (Facts) -> [Draft])
    }

    enum Standing: Sendable {
        /// Says what is wrong with the service itself.
        case specific
        /// May as well only follow from something that the service depends on.
        case general
        /// Only asked where nothing else matched.
        case last
    }

    /// Stable: programs and people refer to it.
    package let code: String
    package let severity: Finding.Severity
    /// For the reference page: what is wrong.
    package let summary: String
    /// For the reference page: what shows it.
    package let shownBy: String
    let standing: Standing
    let asks: Asks

    /// A rule of services.
    init(
        _ code: String, _ summary: String, shownBy: String, severity: Finding.Severity = .error,
        standing: Standing = .specific, _ find: @escaping @Sendable (ServiceFacts, Facts) -> Draft?
    ) {
        self.code = code
        self.summary = summary
        self.shownBy = shownBy
        self.severity = severity
        self.standing = standing
        asks = .service(find)
    }

    /// A rule of the environment as a whole.
    init(
        environment code: String, _ summary: String, shownBy: String, severity: Finding.Severity = .error,
        standing: Standing = .specific, _ find: @escaping @Sendable (Facts) -> [Draft]
    ) {
        self.code = code
        self.summary = summary
        self.shownBy = shownBy
        self.severity = severity
        self.standing = standing
        asks = .environment(find)
    }
}

/// What a rule found.
struct Draft: Sendable {
    var service: String?
    var cause: String
    var evidence: [Evidence]
    var suggestions: [Suggestion]
    var confidence: Finding.Confidence
    /// Where it is not the rule's.
    var severity: Finding.Severity?

    init(
        _ cause: String, _ evidence: [Evidence], _ suggestions: [Suggestion],
        confidence: Finding.Confidence = .certain, service: String? = nil, severity: Finding.Severity? = nil
    ) {
        self.cause = cause
        self.evidence = evidence
        self.suggestions = suggestions
        self.confidence = confidence
        self.service = service
        self.severity = severity
    }
}
