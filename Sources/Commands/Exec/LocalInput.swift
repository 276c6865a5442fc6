import Dispatch
import Glibc

/// What happens at this end while a command runs elsewhere: bytes on stdin, its end, another size of the window. Read
/// only when asked, on a thread of its own, as waiting for a person must hold up nothing else.
final class LocalInput: Sendable {
    enum Event: Sendable {
        case bytes([UInt8])
        case end
        case resized
    }

    private static let block = 32 << 10
    /// One pipe for the process, as a signal's handler knows nothing else; made before the handler is.
    private static let resized = makePipe()

    private static func makePipe() -> (read: Int32, write: Int32) {
        var ends: [Int32] = [-1, -1]
        let result = Glibc.pipe(&ends)
        precondition(result == 0, "no descriptors left")
        for end in ends {
            _ = fcntl(end, F_SETFD, FD_CLOEXEC)
            _ = fcntl(end, F_SETFL, O_NONBLOCK)
        }
        return (ends[0], ends[1])
    }

    /// Of this reader alone, so that nobody else's takes the byte that ends it.
    private let cancelled = LocalInput.makePipe()
    private let watchesSize: Bool
    private let queue = DispatchQueue(label: "microstax.input")
    /// Touched on `queue` only.
    nonisolated(unsafe) private var reads: Bool

    init(reads: Bool, watchesSize: Bool) {
        self.reads = reads
        self.watchesSize = watchesSize
        _ = Self.resized
        guard watchesSize else { return }
        for number in [SIGWINCH, SIGCONT] {
            var action = sigaction()
            action.__sigaction_handler.sa_handler = { _ in
                let saved = errno
                LocalInput.wake(LocalInput.resized.write)
                errno = saved
            }
            action.sa_flags = Int32(SA_RESTART)
            sigaction(number, &action, nil)
        }
    }

    deinit {
        close(cancelled.read)
        close(cancelled.write)
    }

    /// `nil` when the task is cancelled.
    func next() async -> Event? {
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                queue.async { continuation.resume(returning: self.wait()) }
            }
        } onCancel: {
            Self.wake(cancelled.write)
        }
    }

    private static func wake(_ pipe: Int32) {
        var byte: UInt8 = 0
        // A full pipe already wakes the reader.
        _ = write(pipe, &byte, 1)
    }

    private func wait() -> Event? {
        // A descriptor below 0 is ignored (poll(2)).
        while true {
            var items = [cancelled.read, watchesSize ? Self.resized.read : -1, reads ? 0 : -1]
                .map { pollfd(fd: $0, events: Int16(POLLIN), revents: 0) }
            guard poll(&items, nfds_t(items.count), -1) > 0 else { continue }
            if items[0].revents != 0 { return nil }
            if items[1].revents != 0 {
                var bytes = [UInt8](repeating: 0, count: 64)
                if read(Self.resized.read, &bytes, bytes.count) > 0 {
                    LocalTerminal.enterRawAgain()
                    return .resized
                }
            }
            if items[2].revents != 0, let event = readInput() { return event }
        }
    }

    private func readInput() -> Event? {
        var bytes = [UInt8](repeating: 0, count: Self.block)
        let count = read(0, &bytes, bytes.count)
        if count > 0 { return .bytes(Array(bytes.prefix(count))) }
        if count < 0, errno == EAGAIN || errno == EINTR { return nil }
        reads = false
        return .end
    }
}
