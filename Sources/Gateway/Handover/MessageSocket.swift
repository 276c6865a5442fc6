import CPlatform
import Dispatch
import Foundation
import Glibc
import Synchronization

/// Messages with descriptors between two gateways of one folder, over a Unix socket that keeps messages apart. Waiting is done on a
/// thread of its own.
final class MessageSocket: Sendable {
    struct Failure: Error, CustomStringConvertible {
        let verb: String
        let code: Int32
        var description: String { "cannot \(verb): \(String(cString: strerror(code)))" }
        /// Nobody listens there.
        var isAbsence: Bool { [ENOENT, ECONNREFUSED].contains(code) }
    }

    /// Of one message; a JSON text of some sockets or numbers.
    private static let capacity = 64 << 10

    private let descriptor: Int32
    private let queue = DispatchQueue(label: "gateway.handover")
    private let isOpen = Mutex(true)

    init(adopting descriptor: Int32) { self.descriptor = descriptor }

    deinit { Glibc.close(descriptor) }

    static func connect(_ path: String) throws(Failure) -> MessageSocket {
        let descriptor = msx_connect_messages(path)
        guard descriptor >= 0 else { throw Failure(verb: "connect to \(path)", code: errno) }
        return MessageSocket(adopting: descriptor)
    }

    /// As ``connect(_:)``, also where the other side is slow to accept.
    static func connected(_ path: String) async throws -> MessageSocket {
        try await withCheckedThrowingContinuation { continuation in
            DispatchQueue.global().async { continuation.resume(with: Result { try connect(path) }) }
        }
    }

    static func listen(_ path: String) throws(Failure) -> MessageSocket {
        let descriptor = msx_listen_messages(path)
        guard descriptor >= 0 else { throw Failure(verb: "listen at \(path)", code: errno) }
        return MessageSocket(adopting: descriptor)
    }

    /// nil once it was ended.
    func accept() async -> MessageSocket? {
        await onQueue { [self] in
            let accepted = msx_accept_messages(descriptor)
            return accepted >= 0 ? MessageSocket(adopting: accepted) : nil
        }
    }

    func send(_ message: HandoverMessage, _ descriptors: [Int32] = []) throws {
        let bytes = Array(try JSONEncoder().encode(message))
        guard msx_send_message(descriptor, bytes, bytes.count, descriptors, descriptors.count) == 0 else {
            throw Failure(verb: "send", code: errno)
        }
    }

    /// nil at the end.
    ///
    /// - Parameter limit: nil waits for ever.
    func receive(within limit: Duration? = nil) async throws -> (message: HandoverMessage, descriptors: [Int32])? {
        let result: Result<(HandoverMessage, [Int32])?, any Error> = await onQueue { [self] in
            Result {
                var bytes = [UInt8](repeating: 0, count: Self.capacity)
                var handed = [Int32](repeating: -1, count: Int(MSX_MOST_DESCRIPTORS))
                var count = 0
                let milliseconds = limit.map { Int32(clamping: $0.milliseconds) } ?? -1
                let length = msx_receive_message(descriptor, milliseconds, &bytes, bytes.count, &handed, &count)
                guard length >= 0 else { throw Failure(verb: "receive", code: errno) }
                guard length > 0 else { return nil }
                do {
                    let message = try JSONDecoder().decode(HandoverMessage.self, from: Data(bytes[..<length]))
                    return (message, Array(handed[..<count]))
                } catch {
                    for descriptor in handed[..<count] { Glibc.close(descriptor) }
                    throw error
                }
            }
        }
        return try result.get().map { (message: $0.0, descriptors: $0.1) }
    }

    /// Returns when it has ended, or is ended because the task is cancelled; what is said meanwhile is not heard.
    func untilOver() async {
        await withTaskCancellationHandler {
            // An error is an end.
            while let heard = try? await receive() { for descriptor in heard.descriptors { Glibc.close(descriptor) } }
        } onCancel: {
            end()
        }
    }

    /// Both sides see the end; whoever waits is woken.
    func end() { shutdown(descriptor, Int32(SHUT_RDWR)) }

    private func onQueue<T: Sendable>(_ body: @escaping @Sendable () -> T) async -> T {
        await withCheckedContinuation { continuation in queue.async { continuation.resume(returning: body()) } }
    }
}
