import Glibc

/// The process's own input, output and environment, and what is at their other ends.
package struct Terminal: Sendable {
    package enum Stream: Int32, Sendable {
        case output = 1
        case errors = 2
    }

    /// This process's variables; a test puts others in their place.
    @TaskLocal package static var environment: [String: String] = {
        var variables: [String: String] = [:]
        var entry = environ
        while let text = entry.pointee {
            let pair = String(cString: text).split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            if pair.count == 2 { variables[String(pair[0])] = String(pair[1]) }
            entry += 1
        }
        return variables
    }()

    /// Where a test wants the text instead; nothing is a terminal then.
    @TaskLocal package static var capture: (@Sendable (String, Stream) -> Void)?

    package static func isTerminal(_ stream: Stream) -> Bool { capture == nil && isatty(stream.rawValue) == 1 }

    package static func palette(_ stream: Stream) -> Palette {
        Palette(isTerminal: isTerminal(stream), environment: environment)
    }

    /// Whether the cursor can be moved about there.
    package static func canRedraw(_ stream: Stream) -> Bool {
        isTerminal(stream) && environment["TERM"] != "dumb" && environment["TERM"] != nil
    }

    /// Columns and rows; 80 × 24 where nobody says.
    package static func size(_ stream: Stream) -> (width: Int, height: Int) {
        var size = winsize()
        guard ioctl(stream.rawValue, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0, size.ws_row > 0 else {
            return (80, 24)
        }
        return (Int(size.ws_col), Int(size.ws_row))
    }

    /// Writes all of it, at once where it can. Ends the process as SIGPIPE would when nobody reads any more.
    package static func write(_ text: String, to stream: Stream = .output) {
        if let capture { return capture(text, stream) }
        write(Array(text.utf8), to: stream)
    }

    /// The same with bytes as they are.
    package static func write(_ bytes: [UInt8], to stream: Stream) {
        if let capture { return capture(String(decoding: bytes, as: UTF8.self), stream) }
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Glibc.write(stream.rawValue, $0.baseAddress, $0.count) }
            if count > 0 {
                rest = rest.dropFirst(count)
            } else if count < 0, errno == EAGAIN {
                var poller = pollfd(fd: stream.rawValue, events: Int16(POLLOUT), revents: 0)
                poll(&poller, 1, -1)
            } else if count < 0, errno != EINTR {
                exit(errno == EPIPE ? 128 + SIGPIPE : CommandStatus.failed.rawValue)
            }
        }
    }
}
