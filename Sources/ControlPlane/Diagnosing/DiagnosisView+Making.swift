import API
import Diagnosis

extension FindingView {
    init(_ finding: Finding) {
        self.init(
            code: finding.code, severity: "\(finding.severity)", confidence: finding.confidence.rawValue,
            service: finding.service, cause: finding.cause,
            evidence: finding.evidence.map { EvidenceView(source: $0.source.rawValue, line: $0.line) },
            suggestions: finding.suggestions.map { SuggestionView($0) },
            consequences: finding.consequences.map { ConsequenceView(service: $0.service, what: $0.what) },
            also: finding.also)
    }
}

extension SuggestionView {
    init(_ suggestion: Suggestion) {
        let (operation, target): (API.Operation?, String?) =
            switch suggestion.action {
            case nil: (nil, nil)
            case .retry: (.retryEnvironment, nil)
            case .resume: (.resumeEnvironment, nil)
            case .stop: (.stopEnvironment, nil)
            case .restart(let service): (.restartEnvironment, service)
            case .resumeOther(let name): (.resumeEnvironment, name)
            }
        self.init(
            id: suggestion.id, title: suggestion.title, command: suggestion.command, applicable: operation != nil,
            operation: operation?.rawValue, target: target)
    }
}
