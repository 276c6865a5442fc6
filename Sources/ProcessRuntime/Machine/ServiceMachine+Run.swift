import Blueprints
import Runtimes

/// What happens to a run: build, start, probes, end.
extension ServiceMachine {
    mutating func buildEnded(_ code: Int32, _ lines: [String], at now: Int64) -> [ServiceAction] {
        guard phase == .building else { return [] }
        guard code != 0 else { return [.note("build ended")] + launch() }
        status.exitCode = code
        status.lastOutput = lines
        return clean(then: .fail("build \(Self.describe(code))"))
    }

    mutating func started(_ pid: Int32, at now: Int64) -> [ServiceAction] {
        guard phase == .launching else { return [] }
        run += 1
        startedAt = now
        readyAt = nil
        mainExited = false
        phase = .running
        status.pid = pid
        status.lastOutput = []
        enter(.starting, at: now)
        probes = [:]
        if let after { return beginStopping(then: after, at: now) }
        if let startup = workload.probes.startup {
            probes[.startup] = ProbeTrack(startup, since: now)
        } else {
            beginReadiness(at: now)
        }
        return tick(at: now)
    }

    private mutating func beginReadiness(at now: Int64) {
        if let readiness = Self.readiness(of: workload) { probes[.readiness] = ProbeTrack(readiness, since: now) }
    }

    mutating func notStarted(_ message: String, _ lines: [String], at now: Int64) -> [ServiceAction] {
        guard phase == .launching else { return [] }
        status.lastOutput = lines
        if let after { return finish(after, at: now) }
        if isProven, workload.restart != .never { return [.note(message)] + finish(.restart(reason: message), at: now) }
        end(.failed, message, at: now)
        return [.note(message)]
    }

    mutating func exited(_ code: Int32, _ lines: [String], at now: Int64) -> [ServiceAction] {
        let note = ServiceAction.note(Self.describe(code))
        switch phase {
        case .running:
            status.pid = nil
            status.exitCode = code
            status.lastOutput = lines
            return [note] + clean(then: afterExit(code, at: now))
        case .stopping:
            mainExited = true
            status.pid = nil
            status.exitCode = code
            status.lastOutput = lines
            return [note, .watchGroup]
        case .cleaning:
            status.pid = nil
            status.exitCode = code
            status.lastOutput = lines
            return [note]
        default: return []
        }
    }

    private mutating func afterExit(_ code: Int32, at now: Int64) -> After {
        let reason = Self.describe(code)
        if let readyAt, now - readyAt >= settings.healthyReset { backoffStep = 0 }
        if Self.readiness(of: workload) == nil, now - startedAt >= settings.proven { isProven = true }
        switch workload.restart {
        case .never: return code == 0 ? .stop(reason) : .fail(reason)
        case .onFailure where code == 0: return .stop(reason)
        case .onFailure, .always: break
        }
        guard !isProven else { return .restart(reason: reason) }
        failedStarts += 1
        guard failedStarts < settings.startAttempts else {
            return .fail("\(reason) before it was ready, \(failedStarts) times")
        }
        return .restart(reason: reason)
    }

    mutating func groupEmpty() -> [ServiceAction] {
        guard case .stopping = phase, mainExited, let after else { return [] }
        return clean(then: after)
    }

    mutating func cleanedUp(_ leftOver: String?, at now: Int64) -> [ServiceAction] {
        guard phase == .cleaning else { return [] }
        if let leftOver {
            end(.failed, "could not kill \(leftOver)", at: now)
            return [.note("could not kill \(leftOver)")]
        }
        return finish(after ?? .stop(nil), at: now)
    }

    private mutating func finish(_ after: After, at now: Int64) -> [ServiceAction] {
        self.after = nil
        switch after {
        case .begin: return begin(at: now)
        case .stop(let message): end(.stopped, message, at: now)
        case .fail(let message):
            end(.failed, message, at: now)
            return [.note("failed: \(message)")]
        case .restart(let reason):
            let pause = nextPause()
            phase = .backingOff(until: now + pause)
            readyAt = nil
            probes = [:]
            enter(.restarting, reason, at: now)
        }
        return []
    }

    // MARK: - Probes

    mutating func probed(_ kind: ProbeKind, _ outcome: ProbeOutcome, run: Int, at now: Int64) -> [ServiceAction] {
        guard phase == .running, run == self.run, probes[kind] != nil else { return [] }
        probes[kind]?.answered(outcome, at: now, settings: settings)
        guard let track = probes[kind] else { return [] }
        switch (kind, outcome) {
        case (.startup, .passed):
            probes[.startup] = nil
            beginReadiness(at: now)
        case (.readiness, .passed):
            becomeReady(at: now)
        case (.readiness, .failed(let answer)):
            if status.state == .ready, track.failures >= min(settings.unhealthyAfter, track.spec.failureThreshold) {
                enter(.unhealthy, "readiness: \(answer)", at: now)
            }
        case (.liveness, .failed(let answer)) where track.failures >= track.spec.failureThreshold:
            return beginStopping(then: .restart(reason: "liveness: \(answer)"), at: now)
        case (.startup, .failed), (.liveness, _): break
        }
        if status.state == .starting, case .failed(let answer) = outcome, kind != .liveness,
            now - track.since >= settings.tellAnswerAfter
        {
            status.message = "\(kind.rawValue): \(answer)"
        }
        return tick(at: now)
    }

    mutating func logMatched(at now: Int64) -> [ServiceAction] {
        for kind in ProbeKind.allCases {
            if case .log = probes[kind]?.spec.check { probes[kind]?.hurry(now) }
        }
        return tick(at: now)
    }

    private mutating func becomeReady(at now: Int64) {
        guard status.state != .ready else { return }
        isProven = isProven || probes[.readiness] != nil
        if isProven { failedStarts = 0 }
        readyAt = readyAt ?? now
        enter(.ready, at: now)
        if let liveness = workload.probes.liveness, probes[.liveness] == nil {
            probes[.liveness] = ProbeTrack(liveness, since: now)
        }
    }

    // MARK: - Time

    /// When ``ServiceEvent/tick`` is wanted next.
    package var nextDeadline: Int64? {
        switch phase {
        case .stopping(let deadline): return deadline
        case .backingOff(let until): return until
        case .running:
            var times = probes.values.compactMap(\.dueAt)
            for kind in [ProbeKind.startup, .readiness] {
                if let track = probes[kind], !track.passedOnce, kind == .startup || !isProven {
                    times.append(track.limit)
                }
            }
            if status.state == .starting, probes.isEmpty { times.append(startedAt + settings.settle) }
            return times.min()
        default: return nil
        }
    }

    mutating func tick(at now: Int64) -> [ServiceAction] {
        switch phase {
        case .stopping(let deadline) where now >= deadline:
            return [.note("still running after \(workload.stopGraceSeconds) s, killed")]
                + clean(then: after ?? .stop(nil))
        case .backingOff(let until) where now >= until:
            status.restarts += 1
            return launch()
        case .running: return tickRunning(at: now)
        default: return []
        }
    }

    private mutating func tickRunning(at now: Int64) -> [ServiceAction] {
        if status.state == .starting, probes.isEmpty, now >= startedAt + settings.settle { becomeReady(at: now) }
        if let track = probes[.startup], !track.passedOnce, now >= track.limit {
            return giveUp("startup", track, at: now)
        }
        if let track = probes[.readiness], !track.passedOnce, now >= track.limit, status.state == .starting {
            if !isProven { return giveUp("readiness", track, at: now) }
            enter(.unhealthy, "readiness: \(track.lastAnswer ?? "no answer")", at: now)
        }
        var actions: [ServiceAction] = []
        for kind in ProbeKind.allCases {
            guard let due = probes[kind]?.dueAt, now >= due else { continue }
            probes[kind]?.begin()
            actions.append(.probe(kind, run: run))
        }
        return actions
    }

    private mutating func giveUp(_ name: String, _ track: ProbeTrack, at now: Int64) -> [ServiceAction] {
        let answer = track.lastAnswer ?? "no answer"
        let seconds = Double(track.limitLength) / 1000
        return beginStopping(then: .fail("\(name): \(answer); gave up after \(seconds) s"), at: now)
    }

    static func describe(_ code: Int32) -> String {
        guard code > 128, code < 193 else { return "exited with \(code)" }
        return "killed by \(SignalName.name(of: code - 128))"
    }
}
