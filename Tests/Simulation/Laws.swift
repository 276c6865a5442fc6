import EnvironmentGraph
import SimulatedStore
import Storage
import Synchronization

/// What must hold at every commit of the store, whoever makes it.
final class Laws: Sendable {
    private let found = Mutex<[String]>([])

    var broken: [String] { found.withLock { $0 } }

    func isBroken(_ what: String) {
        found.withLock { if $0.count < 100, !$0.contains(what) { $0.append(what) } }
    }

    func check(_ before: Tables, _ after: Tables) {
        checkEnvironments(before, after)
        checkExecutions(before, after)
        let known = Set(after.environments.keys)
        for port in after.ports.values where !known.contains(port.environment) {
            isBroken("port \(port.number) belongs to \(port.environment), which does not exist")
        }
    }

    private func checkEnvironments(_ before: Tables, _ after: Tables) {
        for (id, record) in after.environments {
            let old = before.environments[id]?.state
            if let old, old != record.state, !old.successors.contains(record.state) {
                isBroken("\(record.name) went from \(old) to \(record.state)")
            }
            if let parent = record.parent, after.environments[parent.id] == nil {
                isBroken("\(record.name) exists without its parent \(parent.name)")
            }
        }
        for (id, record) in before.environments where after.environments[id] == nil {
            let undoing = before.executions.values.contains {
                $0.record.environment == id && $0.record.state == .compensating
            }
            if record.state != .deleting, !undoing { isBroken("\(record.name) was removed in state \(record.state)") }
        }
    }

    private func checkExecutions(_ before: Tables, _ after: Tables) {
        for (id, old) in before.executions {
            guard let new = after.executions[id] else {
                isBroken("the execution \(id) was lost")
                continue
            }
            // Undoing goes on with what failed.
            let isUndo = old.record.state == .failed && new.record.state == .compensating
            if old.record.state.isFinal, old.record.state != new.record.state, !isUndo {
                isBroken("\(id) was \(old.record.state) for good, and is \(new.record.state)")
            }
        }
        var working: [EnvironmentID: ExecutionID] = [:]
        for (id, stored) in after.executions where [.running, .compensating].contains(stored.record.state) {
            if let other = working.updateValue(id, forKey: stored.record.environment) {
                isBroken("\(id) and \(other) work on \(stored.record.environment) at once")
            }
        }
    }
}
