import CPlatform
import Foundation
import Glibc
import Runtimes
import Synchronization

/// The streams of one command that somebody watches: a thread that writes what it is given and reads only what somebody
/// will take.
///
/// Bounded: it holds at most ``limit`` bytes and one block of output, then leaves the rest with the command, which waits;
/// and as much input, then the writer waits. The thread ends, and the descriptors are closed, when the command has ended
/// and its output was taken, or when it is discarded.
final class ExecStreams: Sendable {
    /// The command's own ends, which who starts it closes afterwards.
    struct Ends {
        var input: Int32
        var output: Int32
        var error: Int32

        func closeAll() { for end in Set([input, output, error]) { close(end) } }
    }

    private static let limit = 128 << 10
    private static let block = 32 << 10
    /// What a terminal takes for the end of its input.
    private static let endOfTransmission: UInt8 = 4

    private struct State {
        var input: [UInt8] = []
        var inputIsOpen = true
        var inputEnds = false
        var lineIsOpen = false
        var writer: CheckedContinuation<Void, Never>?
        var outputs: [ExecOutput] = []
        var held = 0
        var reader: CheckedContinuation<ExecOutput?, Never>?
        var openOutputs: [Int32: Bool]
        var exitCode: Int32?
        /// Nothing is left that could write more.
        var isFinal = false
        var isDiscarding = false
        var isOver = false
    }

    private let input: Int32
    private let isTerminal: Bool
    private let wakeRead: Int32
    private let wakeWrite: Int32
    private let state: Mutex<State>

    /// - Parameter terminal: of which size, `nil` for pipes.
    static func make(terminal: TerminalSize?) throws -> (streams: ExecStreams, ends: Ends) {
        var opened: [Int32] = []
        func pair(_ open: (UnsafeMutablePointer<Int32>) -> Int32) throws -> (Int32, Int32) {
            var fds: [Int32] = [-1, -1]
            guard open(&fds) == 0 else {
                let reason = String(cString: strerror(errno))
                for descriptor in opened { close(descriptor) }
                throw RuntimeError(.unavailable, "cannot make the command's streams: \(reason)")
            }
            opened += fds
            return (fds[0], fds[1])
        }
        let wake = try pair { msx_output_pipe($0) }
        if let terminal {
            let (master, slave) = try pair { msx_open_terminal($0, terminal.columns, terminal.rows) }
            let streams = ExecStreams(wake: wake, input: master, outputs: [master: false], isTerminal: true)
            return (streams, Ends(input: slave, output: slave, error: slave))
        }
        let input = try pair { msx_input_pipe($0) }
        let output = try pair { msx_output_pipe($0) }
        let error = try pair { msx_output_pipe($0) }
        let streams = ExecStreams(
            wake: wake, input: input.1, outputs: [output.0: false, error.0: true], isTerminal: false)
        return (streams, Ends(input: input.0, output: output.1, error: error.1))
    }

    /// - Parameter outputs: whether each is standard error.
    private init(wake: (Int32, Int32), input: Int32, outputs: [Int32: Bool], isTerminal: Bool) {
        (wakeRead, wakeWrite) = wake
        self.input = input
        self.isTerminal = isTerminal
        state = Mutex(State(openOutputs: outputs))
    }

    /// Once the command runs. Without it, ``release()`` closes the descriptors.
    func start() {
        let thread = Thread { [self] in
            while round() {}
            release()
        }
        thread.name = "exec"
        thread.start()
    }

    func release() {
        let open = state.withLock { state in
            defer {
                state.openOutputs = [:]
                state.inputIsOpen = false
                state.isOver = true
            }
            return Set(Array(state.openOutputs.keys) + (state.inputIsOpen ? [input] : []))
        }
        for descriptor in open { close(descriptor) }
        settle()
        // A wake that comes later finds `isOver` under the same lock.
        state.withLock { _ in
            close(wakeRead)
            close(wakeWrite)
        }
    }

    // MARK: From outside

    /// Returns when there is room for more.
    func write(_ bytes: [UInt8]) async throws {
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let goesOn = state.withLock { state in
                    guard state.inputIsOpen, !state.inputEnds, !state.isOver, !bytes.isEmpty else { return true }
                    state.input += bytes
                    state.lineIsOpen = bytes.last != UInt8(ascii: "\n")
                    wake(state)
                    guard state.input.count > Self.limit else { return true }
                    state.writer = continuation
                    return false
                }
                if goesOn { continuation.resume() }
            }
        } onCancel: {
            let writer = state.withLock { state in
                defer { state.writer = nil }
                return state.writer
            }
            writer?.resume()
        }
        try Task.checkCancellation()
    }

    func closeInput() {
        state.withLock { state in
            guard state.inputIsOpen, !state.inputEnds else { return }
            state.inputEnds = true
            if isTerminal {
                // The first only ends the line that is being written.
                state.input += Array(repeating: Self.endOfTransmission, count: state.lineIsOpen ? 2 : 1)
            }
            wake(state)
        }
    }

    func resize(_ size: TerminalSize) {
        guard isTerminal else { return }
        state.withLock { state in
            if !state.openOutputs.isEmpty { _ = msx_resize_terminal(input, size.columns, size.rows) }
        }
    }

    /// `nil` after the exit, or when the task is cancelled.
    func next() async -> ExecOutput? {
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let output: ExecOutput?? = state.withLock { state in
                    if !state.outputs.isEmpty {
                        let first = state.outputs.removeFirst()
                        state.held -= first.byteCount
                        wake(state)
                        return .some(first)
                    }
                    if state.isOver { return .some(nil) }
                    state.reader = continuation
                    return nil
                }
                if let output { continuation.resume(returning: output) }
            }
        } onCancel: {
            let reader = state.withLock { state in
                defer { state.reader = nil }
                return state.reader
            }
            reader?.resume(returning: nil)
        }
    }

    /// The command itself ended.
    func exited(_ code: Int32) {
        state.withLock { state in
            state.exitCode = code
            wake(state)
        }
    }

    /// Nothing that it started lives any more: what is written is all there will be.
    func finish() {
        state.withLock { state in
            state.isFinal = true
            wake(state)
        }
    }

    /// Nobody wants the rest; only the exit is still told.
    func discard() {
        state.withLock { state in
            state.isDiscarding = true
            state.outputs = []
            state.held = 0
            wake(state)
        }
    }

    var outputHasEnded: Bool { state.withLock { $0.openOutputs.isEmpty } }

    // MARK: The thread

    private func wake(_ state: State) {
        guard !state.isOver else { return }
        var byte: UInt8 = 1
        // A full pipe already wakes the thread.
        _ = Glibc.write(wakeWrite, &byte, 1)
    }

    /// False when all is said.
    private func round() -> Bool {
        let (items, timeout) = state.withLock { state in
            var items = [pollfd(fd: wakeRead, events: Int16(POLLIN), revents: 0)]
            let reads = state.held < Self.limit
            if reads {
                items += state.openOutputs.keys.map { pollfd(fd: $0, events: Int16(POLLIN), revents: 0) }
            }
            if state.inputIsOpen, !state.input.isEmpty || !isTerminal {
                let events = state.input.isEmpty ? 0 : Int16(POLLOUT)
                items.append(pollfd(fd: input, events: events, revents: 0))
            }
            return (items, state.isFinal && reads && !state.openOutputs.isEmpty ? 0 : -1 as Int32)
        }
        var polled = items
        guard poll(&polled, nfds_t(polled.count), timeout) >= 0 || errno == EINTR else { return false }
        for item in polled where item.fd == wakeRead && item.revents != 0 { drainWakes() }
        state.withLock { state in
            for item in polled where item.fd != wakeRead {
                if state.openOutputs[item.fd] != nil, item.events & Int16(POLLIN) != 0 {
                    read(item, &state)
                } else if item.fd == input, item.revents != 0 {
                    writeSome(&state)
                }
            }
            if state.inputEnds, state.input.isEmpty { closeInputNow(&state) }
        }
        settle()
        return state.withLock { !$0.isOver }
    }

    private func drainWakes() {
        var bytes = [UInt8](repeating: 0, count: 256)
        _ = Glibc.read(wakeRead, &bytes, bytes.count)
    }

    private func read(_ item: pollfd, _ state: inout State) {
        guard item.revents != 0 else {
            if state.isFinal { endOutput(item.fd, &state) }
            return
        }
        var bytes = [UInt8](repeating: 0, count: Self.block)
        let count = Glibc.read(item.fd, &bytes, bytes.count)
        if count > 0 {
            guard !state.isDiscarding else { return }
            bytes.removeLast(bytes.count - count)
            state.held += count
            state.outputs.append(state.openOutputs[item.fd] == true ? .stderr(bytes) : .stdout(bytes))
        } else if count == 0 || (errno != EAGAIN && errno != EINTR) {
            // A terminal whose last holder is gone says EIO.
            endOutput(item.fd, &state)
        }
    }

    private func endOutput(_ descriptor: Int32, _ state: inout State) {
        state.openOutputs[descriptor] = nil
        if isTerminal {
            state.inputIsOpen = false
            state.input = []
        }
        close(descriptor)
    }

    private func writeSome(_ state: inout State) {
        let count = state.input.isEmpty ? -1 : Glibc.write(input, state.input, state.input.count)
        if count > 0 {
            state.input.removeFirst(count)
        } else if state.input.isEmpty || (errno != EAGAIN && errno != EINTR) {
            // It reads no more.
            closeInputNow(&state)
        }
    }

    private func closeInputNow(_ state: inout State) {
        state.input = []
        guard state.inputIsOpen else { return }
        state.inputIsOpen = false
        if !isTerminal { close(input) }
    }

    /// Wakes who can go on.
    private func settle() {
        let (writer, reader) = state.withLock { state in
            if state.openOutputs.isEmpty, let code = state.exitCode, !state.isOver {
                state.outputs.append(.exited(code))
                state.isOver = true
            }
            var writer: CheckedContinuation<Void, Never>?
            if !state.inputIsOpen || state.input.count <= Self.limit || state.isOver {
                writer = state.writer
                state.writer = nil
            }
            var reader: (CheckedContinuation<ExecOutput?, Never>, ExecOutput?)?
            if let waiting = state.reader, !state.outputs.isEmpty || state.isOver {
                let first = state.outputs.isEmpty ? nil : state.outputs.removeFirst()
                state.held -= first?.byteCount ?? 0
                reader = (waiting, first)
                state.reader = nil
            }
            return (writer, reader)
        }
        writer?.resume()
        if let (continuation, output) = reader { continuation.resume(returning: output) }
    }
}

extension ExecOutput {
    var byteCount: Int {
        switch self {
        case .stdout(let bytes), .stderr(let bytes): bytes.count
        case .exited: 0
        }
    }
}
