import Foundation
import Glibc
import Synchronization

/// Writes ``DesiredState`` in order, on a queue of its own, as waiting for a disk must hold up no event; and knows what
/// it wrote, to notice when somebody else writes there.
final class DesiredWriter: Sendable {
    private let path: String
    private let queue = DispatchQueue(label: "workloads")
    /// As it should be on the disk; `nil` as long as nothing was read or written.
    private let written = Mutex<[UInt8]?>(nil)

    init(path: String) { self.path = path }

    /// Takes what is on the disk for what was written there.
    func trust() { written.withLock { $0 = SmallFile.read(path) } }

    /// Returns when it is on the disk.
    func save(_ state: DesiredState) async throws {
        try await onQueue { try self.write(state) }
    }

    /// For what can be found out again: a service that ended. A failure is told to the supervisor's log.
    func saveSoon(_ state: DesiredState) {
        queue.async {
            do { try self.write(state) } catch { SupervisorLog.write("error: \(error)") }
        }
    }

    /// Whether somebody else changed or removed the file.
    func isForeign() async throws -> Bool {
        try await onQueue {
            guard let expected = self.written.withLock({ $0 }) else { return false }
            return SmallFile.read(self.path) != expected
        }
    }

    private func write(_ state: DesiredState) throws {
        let bytes = try state.encoded()
        try SmallFile.write(bytes, to: path, durably: true)
        written.withLock { $0 = bytes }
    }

    private func onQueue<T: Sendable>(_ body: @escaping @Sendable () throws -> T) async throws -> T {
        let result: Result<T, any Error> = await withCheckedContinuation { continuation in
            queue.async { continuation.resume(returning: Result { try body() }) }
        }
        return try result.get()
    }
}
