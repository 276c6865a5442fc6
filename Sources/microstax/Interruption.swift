import Dispatch
import Foundation

/// Runs something until it ends or SIGINT or SIGTERM asks it to; asked twice, the process ends at once.
///
/// What was asked to end has ``limit`` to do so. After that the process ends all the same, and without a complaint: what
/// was going on is stored up to its last checkpoint, as after any other end.
enum Interruption {
    static let limit = Duration.seconds(20)

    static func run(_ body: @escaping @Sendable () async throws -> Void) async throws {
        // A file at its size limit is a write that fails (EFBIG), not the end of the process.
        signal(SIGXFSZ, SIG_IGN)
        // Cancelled by the signal; awaited below.
        let task = Task { try await body() }
        let sources = [SIGINT, SIGTERM].map { number in
            signal(number, SIG_IGN)
            let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
            source.setEventHandler {
                if task.isCancelled { _exit(130) }
                task.cancel()
                DispatchQueue.global().asyncAfter(deadline: .now() + .seconds(Int(limit.components.seconds))) {
                    FileHandle.standardError.write(Data("not everything came to a stop in \(limit)\n".utf8))
                    _exit(0)
                }
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
