import CPlatform
import Glibc
import Runtimes
import Synchronization

/// The read end of a pipe that a process writes to. Read by the pump, and once more when the process has ended, so that
/// its last words are known before its end is told.
final class OutputPipe: Sendable {
    private enum State { case open, ended, closed }

    /// Of one call of ``drain()``: more than any pipe holds, so that an unruly child cannot hold it up for ever.
    private static let drainLimit = 4 << 20
    private static let block = 64 << 10

    let descriptor: Int32
    private let state = Mutex(State.open)
    private let onBytes: @Sendable (UnsafeRawBufferPointer) -> Void
    private let onEnd: @Sendable () -> Void

    /// Gives the pipe and its write end, which the caller closes.
    static func make(
        onBytes: @escaping @Sendable (UnsafeRawBufferPointer) -> Void, onEnd: @escaping @Sendable () -> Void = {}
    ) throws -> (pipe: OutputPipe, writeEnd: Int32) {
        var ends: [Int32] = [-1, -1]
        guard msx_output_pipe(&ends) == 0 else {
            throw RuntimeError(.unavailable, "cannot make a pipe: \(String(cString: strerror(errno)))")
        }
        return (OutputPipe(ends[0], onBytes: onBytes, onEnd: onEnd), ends[1])
    }

    private init(
        _ descriptor: Int32, onBytes: @escaping @Sendable (UnsafeRawBufferPointer) -> Void,
        onEnd: @escaping @Sendable () -> Void
    ) {
        self.descriptor = descriptor
        self.onBytes = onBytes
        self.onEnd = onEnd
    }

    /// Reads one block. False at the end.
    func readSome() -> Bool {
        let isOpen = state.withLock { state in
            guard state == .open else { return false }
            if readBlock() == nil { state = .ended }
            return state == .open
        }
        return isOpen
    }

    /// Reads all that was written so far.
    func drain() {
        state.withLock { state in
            var total = 0
            while state == .open, total < Self.drainLimit {
                guard let count = readBlock() else {
                    state = .ended
                    return
                }
                if count == 0 { return }
                total += count
            }
        }
    }

    /// No more is wanted, although somebody may hold the other end; the pump then closes the descriptor.
    func finish() {
        drain()
        state.withLock { if $0 == .open { $0 = .ended } }
    }

    /// Called by the pump once, when it looks at the descriptor no more.
    func release() {
        let wasOpen = state.withLock { state in
            defer { state = .closed }
            return state != .closed
        }
        guard wasOpen else { return }
        close(descriptor)
        onEnd()
    }

    /// 0 where nothing is there now, `nil` at the end.
    private func readBlock() -> Int? {
        withUnsafeTemporaryAllocation(byteCount: Self.block, alignment: 16) { buffer in
            while true {
                let count = read(descriptor, buffer.baseAddress, buffer.count)
                if count > 0 {
                    onBytes(UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(buffer)[..<count]))
                    return count
                }
                if count < 0, errno == EINTR { continue }
                if count < 0, errno == EAGAIN { return 0 }
                return nil
            }
        }
    }
}
