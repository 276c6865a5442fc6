/// What a service's last run said, and what the runtime said of it, ready to be searched.
struct Reading: Sendable, Hashable {
    struct Line: Sendable, Hashable {
        let source: Evidence.Source
        let text: String
    }

    /// The newest first.
    let lines: [Line]
    /// All of them: what is not in here is in none.
    private let text: String

    init(_ service: ServiceFacts) {
        var lines: [Line] = []
        var ends = 0
        for line in service.log.reversed() {
            if line.isEnd { ends += 1 }
            if ends == 2 { break }
            lines.append(Line(source: line.isEvent ? .status : .log, text: line.text))
        }
        if !lines.contains(where: { $0.source == .log }) {
            lines += service.lastOutput.reversed().map { Line(source: .log, text: $0) }
        }
        let said = (service.message ?? "").split(separator: "\n").map { Line(source: .status, text: String($0)) }
        self.lines = said + lines
        text = self.lines.map(\.text).joined(separator: "\n")
    }

    /// Whether a pattern's words are in it at all, in whatever line.
    func mayHave(_ pattern: LinePattern) -> Bool { pattern.isPossible(in: text) }
}
