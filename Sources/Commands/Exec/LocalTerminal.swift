import Glibc
import Synchronization

/// The terminal that this process was started on. In raw mode every key is the command's own, also Ctrl-C; whatever way
/// the process ends that it can notice, the terminal is as before.
enum LocalTerminal {
    /// What would end the process with the terminal still raw.
    private static let endings = [SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGABRT, SIGSEGV, SIGBUS, SIGILL, SIGTRAP, SIGPIPE]

    private static let isRaw = Atomic(false)
    /// Written before `isRaw` is set, read after it was found set.
    nonisolated(unsafe) private static var usual = termios()

    static var isInput: Bool { Terminal.capture == nil && isatty(0) == 1 }

    /// Of whichever stream is a terminal; 80 × 24 where none says.
    static var size: (columns: Int, rows: Int) {
        for descriptor: Int32 in 0...2 {
            var size = winsize()
            if ioctl(descriptor, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0, size.ws_row > 0 {
                return (Int(size.ws_col), Int(size.ws_row))
            }
        }
        return (80, 24)
    }

    /// Nothing happens where stdin is no terminal.
    static func enterRaw() {
        guard !isRaw.load(ordering: .acquiring), isatty(0) == 1, tcgetattr(0, &usual) == 0 else { return }
        for number in endings {
            var action = sigaction()
            action.__sigaction_handler.sa_handler = { number in
                // Both calls may be made in a handler (POSIX); the signal then does what it does by itself.
                LocalTerminal.restore()
                raise(number)
            }
            action.sa_flags = CInt(truncatingIfNeeded: SA_RESETHAND)
            sigaction(number, &action, nil)
        }
        // Also for an `exit` somewhere below, as when nobody reads stdout any more.
        atexit { LocalTerminal.restore() }
        isRaw.store(true, ordering: .releasing)
        setRaw()
    }

    /// Again, after the process was stopped and a shell had the terminal meanwhile.
    static func enterRawAgain() {
        if isRaw.load(ordering: .acquiring) { setRaw() }
    }

    static func restore() {
        if isRaw.exchange(false, ordering: .acquiringAndReleasing) { tcsetattr(0, TCSADRAIN, &usual) }
    }

    private static func setRaw() {
        var raw = usual
        cfmakeraw(&raw)
        tcsetattr(0, TCSADRAIN, &raw)
    }
}
