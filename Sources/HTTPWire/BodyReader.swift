/// How a message's body ends.
package enum BodyFraming: Sendable, Equatable {
    case none
    case length(Int)
    case chunked
    case untilClose
}

/// Follows a body to its end without touching its bytes.
package struct BodyReader: Sendable {
    package enum Progress: Sendable, Equatable {
        case more
        case done
        case refused(WireViolation)
    }

    package private(set) var framing: BodyFraming
    private var remaining = 0
    private var chunks: ChunkedReader

    /// - Parameter contextName: in lower case; the routing context's header, which no trailer may name.
    package init(_ framing: BodyFraming = .none, contextName: [UInt8] = []) {
        self.framing = framing
        chunks = ChunkedReader(contextName: contextName)
        if case .length(let length) = framing { remaining = length }
    }

    /// Whether the connection's end is the body's end.
    package var endsWithConnection: Bool { framing == .untilClose }

    /// How many of `bytes` belong to the body (or its framing), from the first on, and whether it ends with them.
    package mutating func consume(_ bytes: UnsafeRawBufferPointer) -> (count: Int, progress: Progress) {
        switch framing {
        case .none: return (0, .done)
        case .untilClose: return (bytes.count, .more)
        case .length:
            let count = min(remaining, bytes.count)
            remaining -= count
            return (count, remaining == 0 ? .done : .more)
        case .chunked:
            var position = 0
            while true {
                switch chunks.next(bytes, &position) {
                case .more: return (position, .more)
                case .content, .trailer: continue
                case .done: return (position, .done)
                case .refused(let violation): return (position, .refused(violation))
                }
            }
        }
    }
}
