import EnvironmentGraph

/// What a line of output means, wherever it comes from: the most common kind of rule.
struct Signature: Sendable {
    /// Where a pattern matched.
    struct Sighting: Sendable {
        let service: ServiceFacts
        let facts: Facts
        let captures: [String]
        let line: String

        /// The first hole, without blanks and quotes around it.
        var first: String { (captures.first ?? "").trimmed }
    }

    let patterns: [LinePattern]
    /// Whose lines count: the program's own, the runtime's about it, or both.
    let sources: Set<Evidence.Source>
    let confidence: Finding.Confidence
    /// `nil`: the line means something else here.
    let meaning: @Sendable (Sighting) -> (cause: String, mends: [Suggestion])?

    init(
        _ patterns: [LinePattern], by sources: Set<Evidence.Source>, confidence: Finding.Confidence = .certain,
        _ meaning: @escaping @Sendable (Sighting) -> (cause: String, mends: [Suggestion])?
    ) {
        self.patterns = patterns
        self.sources = sources
        self.confidence = confidence
        self.meaning = meaning
    }

    /// The newest line that says so.
    func draft(_ service: ServiceFacts, _ facts: Facts) -> Draft? {
        let step = sources.contains(.status) ? facts.failedStep(of: service.name)?.message : nil
        let possible = step == nil ? patterns.filter(service.lastRun.mayHave) : patterns
        guard !possible.isEmpty else { return nil }
        for (source, text) in lines(of: service, step) {
            for pattern in possible {
                guard let captures = pattern.captures(in: text) else { continue }
                let sighting = Sighting(service: service, facts: facts, captures: captures, line: text)
                guard let (cause, mends) = meaning(sighting) else { continue }
                var evidence = [Evidence(source, text)]
                if source == .log { evidence = Self.place(of: text, in: service).map { [$0] + evidence } ?? evidence }
                if source == .log, service.state != .ready { evidence.append(service.statusEvidence) }
                return Draft(cause, evidence, mends, confidence: confidence)
            }
        }
        return nil
    }

    /// What its last run said; then what its step failed with, where it could not even be asked for.
    private func lines(of service: ServiceFacts, _ step: String?) -> [(source: Evidence.Source, text: String)] {
        let said = service.lastRun.lines.filter { sources.contains($0.source) }.map { ($0.source, $0.text) }
        return said + (step ?? "").split(separator: "\n").map { (.step, String($0)) }
    }

    /// The line of a Python stack trace that names the file, shortly above.
    private static func place(of line: String, in service: ServiceFacts) -> Evidence? {
        let output = service.output
        guard let index = output.lastIndex(of: line) else { return nil }
        return output[max(0, index - 8)..<index].last { $0.hasPrefix("  File \"") && !$0.contains("<frozen") }
            .map { Evidence(.log, $0) }
    }
}

extension Rule {
    /// A rule that goes by a line of output, or of what the runtime says.
    ///
    /// - Parameter sources: `log` for the program's own lines, `status` for the runtime's.
    init(
        _ code: String, _ summary: String, says patterns: [LinePattern], by sources: Set<Evidence.Source> = [.log],
        standing: Standing = .specific, confidence: Finding.Confidence = .certain,
        _ meaning: @escaping @Sendable (Signature.Sighting) -> (cause: String, mends: [Suggestion])?
    ) {
        let signature = Signature(patterns, by: sources, confidence: confidence, meaning)
        let shown = patterns.prefix(3).map { "`\($0.text.replacing("{}", with: "…").trimmed)`" }
        self.init(code, summary, shownBy: shown.joined(separator: ", "), standing: standing) {
            signature.draft($0, $1)
        }
    }
}

extension StringProtocol {
    /// Without blanks and quotes around it.
    var trimmed: String {
        let unwanted: Set<Character> = [" ", "\t", "'", "\"", "`", "‘", "’", "\r"]
        return String(drop { unwanted.contains($0) }.reversed().drop { unwanted.contains($0) }.reversed())
    }
}
