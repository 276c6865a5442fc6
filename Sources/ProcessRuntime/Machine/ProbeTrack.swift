import Blueprints

/// One probe of one run of a service: when it is due and what it answered.
struct ProbeTrack: Sendable, Hashable {
    let spec: ProbeSpec
    /// Since when its limit counts.
    let since: Int64
    private(set) var passedOnce = false
    /// In a row.
    private(set) var failures = 0
    private(set) var lastAnswer: String?
    private(set) var inFlight = false
    private var nextAt: Int64

    init(_ spec: ProbeSpec, since: Int64) {
        self.spec = spec
        self.since = since
        nextAt = since
    }

    /// When it is due; `nil` while an answer is awaited.
    var dueAt: Int64? { inFlight ? nil : nextAt }

    /// By when it must have passed once.
    var limit: Int64 { since + limitLength }

    var limitLength: Int64 { Milliseconds.of(seconds: Double(spec.failureThreshold) * spec.periodSeconds) }

    mutating func begin() { inFlight = true }

    mutating func hurry(_ now: Int64) { nextAt = min(nextAt, now) }

    mutating func answered(_ outcome: ProbeOutcome, at now: Int64, settings: MachineSettings) {
        inFlight = false
        switch outcome {
        case .passed:
            passedOnce = true
            failures = 0
            lastAnswer = nil
        case .failed(let answer):
            failures += 1
            lastAnswer = answer
        }
        nextAt = now + pause(at: now, settings: settings)
    }

    private func pause(at now: Int64, settings: MachineSettings) -> Int64 {
        let period = Milliseconds.of(seconds: spec.periodSeconds)
        guard !passedOnce else { return max(period, 1) }
        let least = if case .exec = spec.check { settings.fastExecProbe } else { settings.fastProbe }
        return min(max(least, (now - since) / 2), max(period, 1))
    }
}
