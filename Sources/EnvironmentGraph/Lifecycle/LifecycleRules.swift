import Blueprints

/// The rules of ``LifecycleDecision``, one function each; `nil` where an environment has none of that kind.
struct LifecycleRules {
    let facts: LifecycleFacts
    let now: Int64

    private var record: EnvironmentRecord { facts.record }
    private var awakeOverlays: [String] { facts.overlays.filter(\.isAwake).map(\.name) }
    private var isAwake: Bool { [.running, .degraded].contains(record.state) }

    // MARK: ttl

    /// Nothing is deleted that was not warned of: between the warning and the deletion the notice always passes, whenever
    /// the warning came. One from before a jump of the clock does not count.
    func ttl() -> LifecycleDecision.Finding? {
        guard let end = record.expiresAt, let notice = record.expiryNotice else { return nil }
        if record.isProtected {
            guard now >= end else { return .init(.ttl, .nothing, "it is protected", lookAgainAt: end) }
            return .init(.ttl, .holdBack, "its time is over, but it is protected: it is not deleted")
        }
        let warned = record.expiryWarnedAt.flatMap { $0 >= facts.clockJumpedAt ?? $0 ? $0 : nil }
        guard let warned else {
            guard now >= end - notice else {
                return .init(.ttl, .nothing, "its end is far", lookAgainAt: end - notice)
            }
            let due = max(end, now + notice)
            return .init(.ttl, .warn, "it will be deleted in \(LengthOfTime.shown(due - now))", lookAgainAt: due)
        }
        let due = max(end, warned + notice)
        guard now >= due else { return .init(.ttl, .nothing, "it was warned of", lookAgainAt: due) }
        guard facts.overlays.isEmpty else {
            let names = facts.overlays.map(\.name).joined(separator: ", ")
            return .init(
                .ttl, .holdBack,
                "its time is over, but overlays stand on it (\(names)): it is deleted when they are gone")
        }
        return .init(.ttl, .delete, "ttl of \(LengthOfTime.shown(end - record.expirySetAt)) ended")
    }

    // MARK: schedule

    /// The latest turn counts, and only where no command was given after it.
    func schedule() -> LifecycleDecision.Finding? {
        guard let schedule = record.spec.lifecycle.schedule else { return nil }
        let next = schedule.next(after: now)
        func nothing(_ why: String) -> LifecycleDecision.Finding { .init(.schedule, .nothing, why, lookAgainAt: next) }
        guard !facts.isExecuting else { return nothing("an execution is under way") }
        guard let last = schedule.last(notAfter: now), last.time > max(record.createdAt, facts.lastCommandAt ?? 0)
        else {
            return nothing("its next turn is to come")
        }
        switch last.turn {
        case .sleep where isAwake:
            guard awakeOverlays.isEmpty else {
                let names = awakeOverlays.joined(separator: ", ")
                return .init(
                    .schedule, .holdBack, "its schedule says sleep, but overlays on it are awake (\(names))",
                    lookAgainAt: next)
            }
            return .init(.schedule, .stop, "schedule", lookAgainAt: next)
        case .wake where record.state == .stopped:
            if let parent = facts.parent, !parent.isAwake {
                return .init(
                    .schedule, .holdBack, "its schedule says wake, but \(parent.name), which it stands on, is stopped",
                    lookAgainAt: next)
            }
            return .init(.schedule, .resume, "schedule", lookAgainAt: next)
        case .sleep, .wake: return nothing("it is as its schedule says")
        }
    }

    // MARK: idle

    func idle() -> LifecycleDecision.Finding? {
        guard let delay = record.spec.lifecycle.idleMilliseconds, isAwake else { return nil }
        guard !facts.isExecuting else { return .init(.idle, .nothing, "an execution is under way") }
        guard awakeOverlays.isEmpty else {
            return .init(.idle, .nothing, "overlays on it are awake: \(awakeOverlays.joined(separator: ", "))")
        }
        // Many environments are looked at together, so that asking who uses them costs little.
        let grid = min(max(delay / 100, 1), 15_000)
        // Often enough that what ended between two looks adds little to the delay.
        let soon = now + min(max(delay / 20, 250), 60_000)
        let others =
            [
                facts.knownSince, record.createdAt, facts.lastExecutionEndedAt ?? 0, facts.clockJumpedAt ?? 0,
            ].max() ?? now
        switch facts.use {
        case .unknown(let why):
            guard now - others >= delay else {
                return .init(.idle, .nothing, "whether it is used is not known: \(why)", lookAgainAt: others + delay)
            }
            return .init(
                .idle, .holdBack, "whether it is used is not known (\(why)): it is not stopped for being idle",
                lookAgainAt: soon)
        case .known(_, let held?): return .init(.idle, .nothing, "in use: \(held)", lookAgainAt: soon)
        case .known(let last, nil):
            let due = max(others, last ?? 0) + delay
            guard now >= due else {
                return .init(.idle, .nothing, "used lately", lookAgainAt: (due + grid - 1) / grid * grid)
            }
            return .init(.idle, .stop, "idle for \(LengthOfTime.shown(delay))")
        }
    }
}
