import Glibc
import Synchronization

/// Where the lines of a process in the background go: a file that is never larger than its limit, and the one before it
/// (`<path>.1`). Standard output and error go there as well, so that what a crash prints is not lost.
package final class LogFile: Sendable {
    /// Bytes, of each of the two files.
    package static let limit = 10 << 20

    private struct State {
        var descriptor: Int32
        var size: Int
        /// Lines that could not be written since the last one that could.
        var lost = 0
    }

    private let path: String
    private let limit: Int
    private let takesStandardStreams: Bool
    private let state: Mutex<State>

    /// Where the file cannot be opened, lines go to standard error.
    package init(path: String, limit: Int = LogFile.limit, takingStandardStreams: Bool = true) {
        self.path = path
        self.limit = limit
        takesStandardStreams = takingStandardStreams
        state = Mutex(State(descriptor: -1, size: 0))
        state.withLock { open(&$0) }
    }

    deinit {
        state.withLock { if $0.descriptor >= 0 { close($0.descriptor) } }
    }

    /// Appends one line. What cannot be written is counted, and said as soon as something can.
    package func write(_ line: String) {
        state.withLock { state in
            if state.size + line.utf8.count >= limit, state.size > 0 { turn(&state) }
            if state.lost > 0, append("(\(state.lost) lines could not be written)", &state) { state.lost = 0 }
            if state.lost > 0 || !append(line, &state) { state.lost += 1 }
        }
    }

    /// Since the last one that could be written.
    var lostLines: Int { state.withLock { $0.lost } }

    private func append(_ line: String, _ state: inout State) -> Bool {
        let bytes = Array(line.utf8) + [UInt8(ascii: "\n")]
        let count = Glibc.write(state.descriptor >= 0 ? state.descriptor : 2, bytes, bytes.count)
        state.size += max(0, count)
        return count == bytes.count
    }

    private func turn(_ state: inout State) {
        rename(path, path + ".1")
        if state.descriptor >= 0 { close(state.descriptor) }
        open(&state)
    }

    private func open(_ state: inout State) {
        state.descriptor = Glibc.open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o600)
        guard state.descriptor >= 0 else { return }
        var status = stat()
        state.size = fstat(state.descriptor, &status) == 0 ? Int(status.st_size) : 0
        if takesStandardStreams { for stream in [1, 2] as [Int32] { dup2(state.descriptor, stream) } }
    }
}
