import Glibc

/// Signals by their names, as `stopSignal` writes them and messages show them.
enum SignalName {
    private static let known: [(name: String, number: Int32)] = [
        ("SIGHUP", SIGHUP), ("SIGINT", SIGINT), ("SIGQUIT", SIGQUIT), ("SIGILL", SIGILL), ("SIGTRAP", SIGTRAP),
        ("SIGABRT", SIGABRT), ("SIGBUS", SIGBUS), ("SIGFPE", SIGFPE), ("SIGKILL", SIGKILL), ("SIGUSR1", SIGUSR1),
        ("SIGSEGV", SIGSEGV), ("SIGUSR2", SIGUSR2), ("SIGPIPE", SIGPIPE), ("SIGALRM", SIGALRM), ("SIGTERM", SIGTERM),
        ("SIGCONT", SIGCONT), ("SIGSTOP", SIGSTOP), ("SIGTSTP", SIGTSTP), ("SIGTTIN", SIGTTIN),
        ("SIGTTOU", SIGTTOU), ("SIGXCPU", SIGXCPU), ("SIGXFSZ", SIGXFSZ), ("SIGWINCH", SIGWINCH), ("SIGSYS", SIGSYS),
    ]

    static func name(of number: Int32) -> String {
        known.first { $0.number == number }?.name ?? "signal \(number)"
    }

    /// `SIGTERM`, `TERM` or `15`.
    static func number(of name: String) -> Int32? {
        if let number = Int32(name) { return (1..<65).contains(number) ? number : nil }
        let full = name.hasPrefix("SIG") ? name : "SIG" + name
        return known.first { $0.name == full }?.number
    }
}
