import Glibc
import Synchronization

/// Ctrl-C as a question to ask now and then, so that a command can say what goes on without it. A second one ends the
/// process at once.
///
/// The handler does the one thing that a signal handler may: it sets a bit of a lock-free atomic.
final class Interrupts: Sendable {
    /// Those that a person or a service manager ends a command with.
    static let usual = [SIGINT, SIGTERM]

    /// A bit for each signal that came.
    private static let came = Atomic<UInt64>(0)

    private let signals: [Int32]
    private let previous: [sigaction]

    /// From now until this value goes, the signals no longer end the process.
    init(_ signals: [Int32] = usual) {
        self.signals = signals
        // Also initialises the atomic here, which a signal handler must not do.
        Self.came.bitwiseAnd(~Self.bits(signals), ordering: .sequentiallyConsistent)
        previous = signals.map { number in
            var action = sigaction()
            action.__sigaction_handler.sa_handler = { number in
                Interrupts.came.bitwiseOr(1 << UInt64(number), ordering: .sequentiallyConsistent)
            }
            action.sa_flags = Int32(truncatingIfNeeded: Int64(SA_RESTART) | Int64(SA_RESETHAND))
            var old = sigaction()
            sigaction(number, &action, &old)
            return old
        }
    }

    deinit {
        for (number, old) in zip(signals, previous) {
            var old = old
            sigaction(number, &old, nil)
        }
    }

    /// Whether one of them came since a value for them was made.
    static func haveCome(_ signals: [Int32] = usual) -> Bool {
        came.load(ordering: .sequentiallyConsistent) & bits(signals) != 0
    }

    /// Numbers of signals are below 64.
    private static func bits(_ signals: [Int32]) -> UInt64 { signals.reduce(0) { $0 | 1 << UInt64($1) } }
}
