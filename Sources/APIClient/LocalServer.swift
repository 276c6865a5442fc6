import Dispatch
import FoundationEssentials
import Glibc

/// The server of a state folder, started where none answers.
///
/// Two commands at once start one server: a file lock in the state folder lets the second wait for the first.
package struct LocalServer: Sendable {
    /// How long `serve --detach` may take before it is given up.
    package static let startLimit = Duration.seconds(60)
    /// Most of what it writes to stderr that is kept for the message.
    private static let maxReasonBytes = 16 << 10

    package let folder: StateFolder
    /// Usually `/proc/self/exe`.
    let executable: String

    package init(folder: StateFolder, executable: String = "/proc/self/exe") {
        self.folder = folder
        self.executable = executable
    }

    /// Returns when the server answers.
    ///
    /// - Parameter onSlowStart: called once, when the start has taken 300 ms.
    /// - Throws: ``ConnectionFailure`` with what the server said.
    package func ensureRunning(onSlowStart: @Sendable () -> Void = {}) throws {
        if folder.answers { return }
        let lock = lockStart()
        defer { if let lock { close(lock) } }
        if folder.answers { return }
        let (status, reason) = try detach(onSlowStart: onSlowStart)
        if folder.answers { return }
        let said = reason.isEmpty ? "it ended with status \(status) and said nothing" : reason
        throw ConnectionFailure(.cannotStart, server: folder.path, said)
    }

    /// ``ensureRunning(onSlowStart:)`` beside Swift's threads, of which there are few: others go on meanwhile. It is not
    /// given up where the caller is.
    package func revive() async throws {
        try await withCheckedThrowingContinuation { continuation in
            // A serial queue of its own gets a thread even while others are taken.
            DispatchQueue(label: "microstax.revive").async {
                continuation.resume(with: Result { try ensureRunning() })
            }
        }
    }

    /// `nil` where the folder does not allow it; the server then says why.
    private func lockStart() -> Int32? {
        // A folder that cannot be made is the server's to report, in its own words.
        try? FileManager.default.createDirectory(
            atPath: folder.path, withIntermediateDirectories: true,
            attributes: [.posixPermissions: geteuid() == 0 ? 0o711 : 0o700])
        let descriptor = open(folder.path + "/start.lock", O_CREAT | O_RDWR | O_CLOEXEC | O_NOFOLLOW, 0o600)
        guard descriptor >= 0 else { return nil }
        while flock(descriptor, LOCK_EX) != 0 {
            guard errno == EINTR else { break }
        }
        return descriptor
    }

    private func detach(onSlowStart: () -> Void) throws -> (status: Int32, reason: String) {
        var ends: [Int32] = [-1, -1]
        guard pipe(&ends) == 0 else { throw cannotStart("pipe: \(String(cString: strerror(errno)))") }
        ends.forEach { _ = fcntl($0, F_SETFD, FD_CLOEXEC) }
        let (readEnd, writeEnd) = (ends[0], ends[1])
        defer { close(readEnd) }
        let child: pid_t
        do {
            defer { close(writeEnd) }
            child = try spawn(stderr: writeEnd)
        }
        return try collect(child, readEnd, onSlowStart: onSlowStart)
    }

    private func spawn(stderr: Int32) throws -> pid_t {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0)
        posix_spawn_file_actions_adddup2(&actions, stderr, 2)
        let name = strdup("microstax")
        let verb = strdup("serve")
        let flag = strdup("--detach")
        defer { for text in [name, verb, flag] { free(text) } }
        var child: pid_t = 0
        let result = posix_spawn(&child, executable, &actions, nil, [name, verb, flag, nil], environ)
        guard result == 0 else { throw cannotStart("\(executable): \(String(cString: strerror(result)))") }
        return child
    }

    /// Waits for the child's end; the pipe may stay open in the server that it leaves behind.
    private func collect(
        _ child: pid_t, _ pipe: Int32, onSlowStart: () -> Void
    ) throws -> (status: Int32, reason: String) {
        let clock = ContinuousClock()
        let start = clock.now
        var said: [UInt8] = []
        var toldSlow = false
        var isOpen = true
        while true {
            var poller = pollfd(fd: isOpen ? pipe : -1, events: Int16(POLLIN), revents: 0)
            poll(&poller, 1, 10)
            if poller.revents != 0 { isOpen = drain(pipe, into: &said) }
            var status: Int32 = 0
            if waitpid(child, &status, WNOHANG) == child {
                var last = pollfd(fd: isOpen ? pipe : -1, events: Int16(POLLIN), revents: 0)
                while poll(&last, 1, 0) > 0, drain(pipe, into: &said) {}
                let code = status & 0x7f == 0 ? (status >> 8) & 0xff : 128 + status & 0x7f
                while let last = said.last, last <= UInt8(ascii: " ") { said.removeLast() }
                return (code, String(decoding: said, as: UTF8.self))
            }
            let elapsed = clock.now - start
            if !toldSlow, elapsed > .milliseconds(300) {
                toldSlow = true
                onSlowStart()
            }
            if elapsed > Self.startLimit {
                kill(child, SIGTERM)
                waitpid(child, &status, 0)
                throw cannotStart("it did not answer within \(Self.startLimit)")
            }
        }
    }

    /// Whether there may be more.
    private func drain(_ pipe: Int32, into said: inout [UInt8]) -> Bool {
        var buffer = [UInt8](repeating: 0, count: 4096)
        let count = read(pipe, &buffer, buffer.count)
        guard count > 0 else { return false }
        said += buffer.prefix(min(count, max(0, Self.maxReasonBytes - said.count)))
        return true
    }

    private func cannotStart(_ message: String) -> ConnectionFailure {
        ConnectionFailure(.cannotStart, server: folder.path, message)
    }
}
