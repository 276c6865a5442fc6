/// HTTP/1.x on bytes: heads, message lengths, chunks and the carriers of a routing context, strictly.
///
/// The module knows no sockets, no event loop and no routing table. A parser is a value that is shown the bytes that
/// have come so far, always from the start of what it parses, and says `more`, `complete` or `refused`; it remembers how
/// far it has looked, so that a head that arrives byte by byte costs no more than one that arrives at once. What it
/// finds are ranges into those bytes. Nothing is turned into a `String`, and a parser that is `reset()` keeps its memory,
/// so that a connection that serves many requests allocates for the first only. A forwarded head is written by copying
/// ranges into a `WireBuffer`.
///
/// What two parsers could read differently is refused and never mended (RFC 9110, RFC 9112): that is what request
/// smuggling is made of.
package enum HTTPWire {
    /// Largest head, from the first byte of its first line to the empty line that ends it.
    package static let maxHeadBytes = 64 << 10
    /// Most field lines of one head, or of one trailer section.
    package static let maxFields = 512

    /// How much of a head is read.
    package struct HeadLimits: Sendable {
        package var bytes: Int
        package var fields: Int

        /// Of what others send.
        package static let standard = HeadLimits(bytes: HTTPWire.maxHeadBytes, fields: HTTPWire.maxFields)
        /// Of what the gateway itself has written from a head within the standard: its own fields come on top.
        package static let forwarded = HeadLimits(bytes: 4 * HTTPWire.maxHeadBytes, fields: 2 * HTTPWire.maxFields)
    }
}

/// Why bytes are no HTTP message. The raw value is for logs and tests; `message` is for people.
package enum WireViolation: String, Error, Sendable {
    case badRequestLine, badStatusLine, badVersion, badTarget
    case bareLineFeed, bareCarriageReturn, controlByte, foldedLine, badFieldName, spaceBeforeColon
    case forgedFieldName
    case missingHost, duplicateHost, badHost, hostMismatch
    case badContentLength, differingContentLengths, lengthAndTransferEncoding, unknownTransferEncoding
    case badChunk, badTrailer
    case headTooLarge, tooManyFields

    /// Whether the sender could mend it by sending less (status 431).
    package var isTooLarge: Bool { self == .headTooLarge || self == .tooManyFields }

    package var message: String {
        switch self {
        case .badRequestLine: "the request line is not `method target HTTP/1.x`"
        case .badStatusLine: "the status line is not `HTTP/1.x code reason`"
        case .badVersion: "the version is not HTTP/1.0 or HTTP/1.1"
        case .badTarget: "the request target is malformed"
        case .bareLineFeed: "a line ends with a bare LF"
        case .bareCarriageReturn: "a CR stands without LF"
        case .controlByte: "a control byte stands in the head"
        case .foldedLine: "a header is folded over lines"
        case .badFieldName: "a header's name is not a token"
        case .forgedFieldName: "a header has the name of one that the gateway acts on, with `_` in the place of `-`"
        case .spaceBeforeColon: "white space stands before a header's colon"
        case .missingHost: "the Host header is missing"
        case .duplicateHost: "there is more than one Host header"
        case .badHost: "the Host header is malformed"
        case .hostMismatch: "the target's host is not the Host header's"
        case .badContentLength: "Content-Length is not a number"
        case .differingContentLengths: "there are several Content-Length headers that differ"
        case .lengthAndTransferEncoding: "there are both Content-Length and Transfer-Encoding"
        case .unknownTransferEncoding: "Transfer-Encoding is not exactly `chunked`"
        case .badChunk: "a chunk is malformed"
        case .badTrailer: "the trailer section is malformed or names a header that must not stand there"
        case .headTooLarge: "the head is over 64 KiB"
        case .tooManyFields: "there are over 512 headers"
        }
    }
}

/// What a head parser knows after it has seen some bytes.
package enum HeadProgress: Sendable, Equatable {
    case more
    /// The head ends after this many bytes.
    case complete(Int)
    case refused(WireViolation)
}
