import API

/// The same progress for what is no terminal: one line for each step that ended, and now and then one for a step
/// that takes long, with what it waits for.
package struct ProgressLines: Sendable, Hashable {
    /// After so long a running step is mentioned, and again after as long.
    package static let patience: Int64 = 10_000

    private var states: [String: String] = [:]
    /// When a running step was seen first, or mentioned last; by key.
    private var mentioned: [String: Int64] = [:]
    private var latest: ExecutionView?

    package init() {}

    /// - Parameter elapsed: milliseconds since the watching began.
    package mutating func apply(_ event: EventView, elapsed: Int64) -> [String] {
        guard let execution = event.execution else { return [] }
        latest = execution
        var lines: [String] = []
        for step in execution.steps where states[step.key] != step.state {
            states[step.key] = step.state
            switch step.state {
            case "pending": break
            case "running": mentioned[step.key] = elapsed
            default:
                mentioned[step.key] = nil
                lines.append(Self.line(step, elapsed, step.error?.firstLine))
            }
        }
        return lines
    }

    /// What there is to say although nothing changed.
    package mutating func tick(elapsed: Int64) -> [String] {
        (latest?.steps ?? []).compactMap { step in
            guard step.state == "running", let last = mentioned[step.key], elapsed - last >= Self.patience else {
                return nil
            }
            mentioned[step.key] = elapsed
            return Self.line(step, elapsed, step.message?.firstLine)
        }
    }

    private static func line(_ step: StepView, _ elapsed: Int64, _ note: String?) -> String {
        let time = Timestamp.elapsed(elapsed)
        let padding = String(repeating: " ", count: max(0, 5 - time.count))
        let start = "[\(padding)\(time)] \(step.key.visible)  \(step.state)"
        return note.map { $0.isEmpty ? start : start + ": " + $0.visible } ?? start
    }
}
