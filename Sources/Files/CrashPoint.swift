import Glibc
import Synchronization

/// Places at which `make kill` ends a process, as if it were killed from outside at exactly that moment; for tests only.
///
/// With `MICROSTAX_CRASH_POINTS=<file>` in its environment, a process reads that file at each of its points. It holds one
/// line, `<arming> <role> <number>`: a process whose first argument is the role (`serve`, `supervise`, `gateway`) kills
/// itself when it passes its n-th point under that arming (any word; under another one it counts from 1 again). Before it
/// does, it removes the file: of several processes one dies, and whoever takes its place lives. Every passage is noted in
/// `<file>.trace` as `<arming> <role> <pid> <number> <name>`, so that points can be counted before they are used.
///
/// Without the variable a passage is one look at a constant.
package enum CrashPoint {
    package static let variable = "MICROSTAX_CRASH_POINTS"

    private static let plan: CrashPlan? = getenv(variable).map { CrashPlan(path: String(cString: $0)) }

    package static func pass(_ name: StaticString) { plan?.pass(name) }
}

private final class CrashPlan: Sendable {
    private struct Count {
        var arming: Substring = ""
        var passed = 0
    }

    private let path: String
    private let role = CommandLine.arguments.dropFirst().first ?? ""
    private let count = Mutex(Count())

    init(path: String) { self.path = path }

    func pass(_ name: StaticString) {
        count.withLock { count in
            let words = line().split(separator: " ")
            guard words.count == 3 else { return }
            if count.arming != words[0] { count = Count(arming: words[0]) }
            count.passed += 1
            note("\(words[0]) \(role) \(getpid()) \(count.passed) \(name)\n")
            guard words[1] == role, Int(words[2]) == count.passed, unlink(path) == 0 else { return }
            kill(getpid(), SIGKILL)
            while true { pause() }
        }
    }

    /// Empty where nothing is armed.
    private func line() -> String {
        let file = open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { return "" }
        defer { close(file) }
        var bytes = [UInt8](repeating: 0, count: 256)
        let length = read(file, &bytes, bytes.count)
        return String(decoding: bytes.prefix(max(length, 0)).prefix { $0 != UInt8(ascii: "\n") }, as: UTF8.self)
    }

    private func note(_ line: String) {
        let file = open(path + ".trace", O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0o600)
        guard file >= 0 else { return }
        defer { close(file) }
        let bytes = Array(line.utf8)
        _ = write(file, bytes, bytes.count)
    }
}
