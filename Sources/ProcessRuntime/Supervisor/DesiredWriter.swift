import Foundation
import Glibc

/// Writes ``DesiredState`` in order, on a queue of its own, as waiting for a disk must hold up no event.
final class DesiredWriter: Sendable {
    private let path: String
    private let queue = DispatchQueue(label: "workloads")

    init(path: String) { self.path = path }

    /// Returns when it is on the disk.
    func save(_ state: DesiredState) async throws {
        let result: Result<Void, any Error> = await withCheckedContinuation { continuation in
            queue.async { [path] in continuation.resume(returning: Result { try state.save(path) }) }
        }
        try result.get()
    }

    /// For what can be found out again: a service that ended. A failure is told to the supervisor's log.
    func saveSoon(_ state: DesiredState) {
        queue.async { [path] in
            do { try state.save(path) } catch { SupervisorLog.write("error: \(error)") }
        }
    }
}
