import Dispatch
import Foundation

/// Runs something until it ends or SIGINT or SIGTERM asks it to; asked twice, the process ends at once.
enum Interruption {
    static func run(_ body: @escaping @Sendable () async throws -> Void) async throws {
        // A file at its size limit is a write that fails (EFBIG), not the end of the process.
        signal(SIGXFSZ, SIG_IGN)
        // Cancelled by the signal; awaited below.
        let task = Task { try await body() }
        let sources = [SIGINT, SIGTERM].map { number in
            signal(number, SIG_IGN)
            let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
            source.setEventHandler {
                if task.isCancelled { exit(130) }
                task.cancel()
            }
            source.resume()
            return source
        }
        defer { sources.forEach { $0.cancel() } }
        do {
            try await task.value
        } catch is CancellationError where task.isCancelled {
            return
        }
    }
}
