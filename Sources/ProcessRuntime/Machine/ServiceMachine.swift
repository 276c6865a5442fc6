import Blueprints
import Runtimes

/// The life of one service as a value: events in, actions out, the time handed in; nothing else.
///
/// ```
///                      ┌──────────── restart ───────────┐
///  apply → [building] → launching → running → cleaning ─┴→ ended
///                                      └→ stopping ┘
/// ```
///
/// `stopping` waits for the main process and its group after the stop signal; `cleaning` waits until nothing that the
/// service started is left. What comes after cleaning was decided before (`after`).
package struct ServiceMachine: Sendable {
    package enum Phase: Sendable, Hashable {
        /// Known from disk after a restart of the supervisor; its secrets have to come with the next `apply`.
        case waitingForSecrets
        case building
        case launching
        case running
        case stopping(deadline: Int64)
        case cleaning
        case backingOff(until: Int64)
        case ended
    }

    /// What happens when nothing of the present run is left.
    enum After: Sendable, Hashable {
        case begin
        case restart(reason: String)
        case stop(String?)
        case fail(String)
    }

    package internal(set) var workload: Workload
    package internal(set) var phase: Phase = .ended
    package internal(set) var status: WorkloadStatus
    /// Whether it ended because it was told to, so that the next `apply` starts it again.
    package internal(set) var stopRequested = false
    /// Grows with every start; answers of probes name it.
    package internal(set) var run = 0

    let settings: MachineSettings
    var after: After?
    /// Replaces `workload` when the present run has ended.
    var next: Workload?
    var startedAt: Int64 = 0
    var readyAt: Int64?
    /// Whether this generation has been ready before (or, without readiness probe, has lived for a while).
    var isProven = false
    var failedStarts = 0
    var backoffStep = 0
    var mainExited = false
    var probes: [ProbeKind: ProbeTrack] = [:]
    private var jitter: Jitter

    package init(_ workload: Workload, settings: MachineSettings = MachineSettings(), seed: UInt64) {
        self.workload = workload
        self.settings = settings
        status = WorkloadStatus(service: workload.service, generation: workload.generation, state: .pending)
        jitter = Jitter(seed: seed)
    }

    /// As it was when it ended, read from disk: it stays ended until it is applied anew.
    package init(ended status: WorkloadStatus, _ workload: Workload, stopRequested: Bool, seed: UInt64) {
        self.init(workload, seed: seed)
        self.status = status
        self.stopRequested = stopRequested
    }

    /// The exit code of a run before this machine was made.
    package mutating func remember(exitCode: Int32?) { status.exitCode = exitCode }

    /// How a service stands that ended with this code, where its policy leaves it ended.
    package static func finalStatus(of workload: Workload, exitCode: Int32, at now: Int64) -> WorkloadStatus? {
        guard workload.restart == .never || (workload.restart == .onFailure && exitCode == 0) else { return nil }
        return WorkloadStatus(
            service: workload.service, generation: workload.generation, state: exitCode == 0 ? .stopped : .failed,
            exitCode: exitCode, message: describe(exitCode), since: now)
    }

    /// Whether nothing will happen any more without an `apply`.
    package var hasEnded: Bool { phase == .ended && status.state != .pending }

    /// The readiness probe, with the rule for services that name none.
    package static func readiness(of workload: Workload) -> ProbeSpec? {
        workload.probes.readiness ?? (workload.ports.isEmpty ? nil : ProbeSpec(.tcp(port: nil)))
    }

    package mutating func handle(_ event: ServiceEvent, at now: Int64) -> [ServiceAction] {
        switch event {
        case .apply(let workload, let hasSecrets): apply(workload, hasSecrets: hasSecrets, at: now)
        case .stop: stop(at: now)
        case .buildEnded(let code, let lines): buildEnded(code, lines, at: now)
        case .started(let pid): started(pid, at: now)
        case .notStarted(let message, let lines): notStarted(message, lines, at: now)
        case .exited(let code, let lines): exited(code, lines, at: now)
        case .groupEmpty: groupEmpty()
        case .cleanedUp(let leftOver): cleanedUp(leftOver, at: now)
        case .probed(let kind, let outcome, let run): probed(kind, outcome, run: run, at: now)
        case .logMatched: logMatched(at: now)
        case .tick: tick(at: now)
        }
    }

    // MARK: - What is wanted

    private mutating func apply(_ wanted: Workload, hasSecrets: Bool, at now: Int64) -> [ServiceAction] {
        if wanted.generation == (next ?? workload).generation, status.state != .pending || phase != .ended {
            return applyAgain(wanted, hasSecrets: hasSecrets, at: now)
        }
        stopRequested = false
        next = wanted
        switch phase {
        case .ended, .waitingForSecrets, .backingOff: return begin(hasSecrets: hasSecrets, at: now)
        case .building: return clean(then: .begin)
        case .running: return beginStopping(then: .begin, at: now)
        case .launching, .stopping, .cleaning:
            after = .begin
            return []
        }
    }

    private mutating func applyAgain(_ wanted: Workload, hasSecrets: Bool, at now: Int64) -> [ServiceAction] {
        switch phase {
        case .waitingForSecrets where hasSecrets:
            next = wanted
            return begin(hasSecrets: true, at: now)
        case .ended where stopRequested:
            stopRequested = false
            next = wanted
            return begin(hasSecrets: hasSecrets, at: now)
        case .launching, .stopping, .cleaning:
            guard stopRequested else { return [] }
            stopRequested = false
            next = wanted
            after = .begin
            return []
        default: return []
        }
    }

    private mutating func stop(at now: Int64) -> [ServiceAction] {
        stopRequested = true
        next = nil
        switch phase {
        case .ended, .waitingForSecrets, .backingOff:
            end(.stopped, "stopped", at: now)
            return []
        case .building: return clean(then: .stop("stopped"))
        case .running: return beginStopping(then: .stop("stopped"), at: now)
        case .launching, .stopping, .cleaning:
            after = .stop("stopped")
            return []
        }
    }

    // MARK: - Steps

    /// Starts `next` (or the same workload again) from the beginning.
    mutating func begin(hasSecrets: Bool = true, at now: Int64) -> [ServiceAction] {
        workload = next ?? workload
        next = nil
        after = nil
        isProven = false
        failedStarts = 0
        backoffStep = 0
        readyAt = nil
        status = WorkloadStatus(
            service: workload.service, generation: workload.generation, state: .pending,
            exitCode: status.exitCode, since: now)
        guard hasSecrets else {
            phase = .waitingForSecrets
            status.message = "waits for its secrets, which are never on disk; apply it again"
            return []
        }
        guard !workload.build.isEmpty else { return launch() }
        phase = .building
        enter(.building, at: now)
        return [.note("build started"), .build]
    }

    mutating func launch() -> [ServiceAction] {
        phase = .launching
        return [.start]
    }

    mutating func clean(then next: After) -> [ServiceAction] {
        after = next
        phase = .cleaning
        return [.killAll]
    }

    mutating func beginStopping(then next: After, at now: Int64) -> [ServiceAction] {
        after = next
        mainExited = false
        probes = [:]
        phase = .stopping(deadline: now + Milliseconds.of(seconds: workload.stopGraceSeconds))
        return [.note("stopping with \(workload.stopSignal)"), .signal]
    }

    mutating func enter(_ state: WorkloadStatus.State, _ message: String? = nil, at now: Int64) {
        if status.state != state { status.since = now }
        status.state = state
        status.message = message
    }

    mutating func end(_ state: WorkloadStatus.State, _ message: String?, at now: Int64) {
        phase = .ended
        after = nil
        probes = [:]
        readyAt = nil
        status.pid = nil
        if state == .stopped { status.lastOutput = [] }
        enter(state, message, at: now)
    }

    /// The pause before the next start; grows with every use.
    mutating func nextPause() -> Int64 {
        guard isProven else {
            let index = min(max(failedStarts - 1, 0), settings.startBackoff.count - 1)
            return index < 0 ? 0 : settings.startBackoff[index]
        }
        let exponential = settings.restartBackoff << Int64(min(backoffStep, 20))
        backoffStep += 1
        return jitter.spread(min(exponential, settings.restartBackoffLimit), upTo: settings.restartBackoffLimit)
    }
}
