import Blueprints
import EnvironmentGraph
import Logging
import Runtimes
import Storage

/// Follows what the runtime says of one environment: puts it on the board, keeps the routes equal to what is ready, moves
/// the environment between `running` and `degraded`, and applies again what the runtime has lost.
///
/// Level-triggered: every period it looks at everything anew; changes only wake it early.
struct EnvironmentWatcher: Sendable {
    let actions: StepActions
    let log: Logger

    private static let period = Duration.seconds(2)

    /// Until cancelled.
    func run(_ id: EnvironmentID) async {
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await follow(id) }
            group.addTask { await reconcile(id) }
        }
    }

    /// A runtime that cannot be reached is asked again, with growing pauses up to 5 s.
    private func follow(_ id: EnvironmentID) async {
        var pause = Duration.milliseconds(50)
        while !Task.isCancelled {
            do {
                for try await statuses in actions.runtime.changes(of: id) {
                    pause = .milliseconds(50)
                    let before = actions.board.ready(in: id)
                    actions.board.set(statuses, of: id)
                    if before != actions.board.ready(in: id) { actions.routes.isStale() }
                    if let record = try await actions.store.read({ try $0.environment(id) }) {
                        try await judge(statuses, of: record)
                    }
                }
            } catch is CancellationError {
                return
            } catch {
                log.warning("lost sight of an environment", metadata: ["environment": "\(id)", "error": "\(error)"])
            }
            // Cancelled: the loop's condition sees it.
            try? await actions.outside.sleep(pause)
            pause = min(pause * 2, .seconds(5))
        }
    }

    private func reconcile(_ id: EnvironmentID) async {
        // Cancelled: the watching is over.
        while (try? await actions.outside.sleep(Self.period)) != nil {
            guard actions.board.ready(in: id) != nil else { continue }
            do {
                guard let record = try await actions.store.read({ try $0.environment(id) }) else { continue }
                let statuses = actions.board.statuses(of: id)
                try await judge(statuses, of: record)
                try await reapplyLost(statuses, of: record)
            } catch {
                log.warning("could not reconcile", metadata: ["environment": "\(id)", "error": "\(error)"])
            }
        }
    }

    /// What should run and is not there, or waits to be told again (a supervisor that was killed has lost the secrets), is
    /// applied again. While an environment is being created, what is not there is simply not started yet.
    private func reapplyLost(_ statuses: [WorkloadStatus], of record: EnvironmentRecord) async throws {
        guard [.provisioning, .resuming, .running, .degraded].contains(record.state) else { return }
        let shouldRun = [.running, .degraded].contains(record.state)
        let lost = record.localServices.filter { service in
            let state = statuses.first { $0.service == service.name }?.state
            return state == .pending || state == nil && shouldRun
        }
        guard !lost.isEmpty else { return }
        let rendering = try await actions.rendering(of: record)
        for service in lost {
            log.warning("applying again", metadata: ["environment": "\(record.name)", "service": "\(service.name)"])
            try await actions.runtime.apply(try rendering.workload(service))
        }
    }

    /// `degraded` while a local service is not ready, with the first reason.
    private func judge(_ statuses: [WorkloadStatus], of record: EnvironmentRecord) async throws {
        guard [.running, .degraded].contains(record.state) else { return }
        let missing = record.localServices.map(\.name).filter { name in
            statuses.first { $0.service == name }?.state != .ready
        }
        let reason = missing.first.map { name in
            let status = statuses.first { $0.service == name }
            return "\(name) is \(status?.state.rawValue ?? "not running")" + (status?.message.map { ": \($0)" } ?? "")
        }
        let next: EnvironmentState = missing.isEmpty ? .running : .degraded
        guard record.state != next || record.message != reason else { return }
        let (id, now) = (record.id, actions.outside.now())
        try await actions.store.write { store in
            guard var record = try store.environment(id), [.running, .degraded].contains(record.state) else { return }
            try record.move(to: next, message: reason)
            record.updatedAt = now
            try store.save(record)
        }
        actions.board.ring(id)
    }
}
