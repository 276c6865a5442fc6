import Glibc

/// What the supervisor has to say itself: standard error, which is `supervisor.log`.
enum SupervisorLog {
    static func write(_ text: String) {
        var bytes: [UInt8] = []
        LogTimestamp.append(ServiceLog.now(), to: &bytes)
        bytes += " \(text)\n".utf8
        _ = bytes.withUnsafeBytes { Glibc.write(STDERR_FILENO, $0.baseAddress, $0.count) }
    }
}
