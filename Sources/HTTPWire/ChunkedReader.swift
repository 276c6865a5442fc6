/// The chunked coding, byte by byte where it must be (RFC 9112 section 7.1).
///
/// It checks and finds; the bytes may be passed on as they are. Chunk extensions are allowed as long as they hold no
/// control byte and the size's line stays under 256 bytes; a chunk stays under 2 GiB, above which parsers are known to
/// wrap around. Trailers are checked like header lines, may take 64 KiB, and may not name fields that say where a message
/// ends or goes, or who asks: a service may merge them into the header (RFC 9110 section 6.5.1).
package struct ChunkedReader: Sendable {
    package enum Event: Sendable, Equatable {
        case more
        /// Content, without its framing.
        case content(ByteRange)
        /// A field of the trailer section, which is in ``ChunkedReader/trailerLine``; only where it was asked for.
        case trailer(Field)
        case done
        case refused(WireViolation)
    }

    private enum State: Sendable {
        case size, sizeDigits, sizeBlank, sizeExtension, sizeFeed, content, contentReturn, contentFeed
        case trailerStart, trailerLine, trailerFeed, endFeed, ended
    }

    private static let maxSizeLine = 256
    private static let maxChunk = 0x7FFF_FFFF

    private var state = State.size
    private var remaining = 0
    private var digits = 0
    private var lineLength = 0
    private var trailerBytes = 0
    private var line: [UInt8] = []
    /// In lower case; the routing context's header, which no trailer may name.
    private let contextName: [UInt8]
    private let reportsTrailers: Bool

    package init(contextName: [UInt8] = [], reportsTrailers: Bool = false) {
        self.contextName = contextName
        self.reportsTrailers = reportsTrailers
    }

    /// What a trailer's ranges are in, until the next event.
    package var trailerLine: [UInt8] { line }

    /// Goes on from `position`, which it moves behind what it has taken.
    package mutating func next(_ bytes: UnsafeRawBufferPointer, _ position: inout Int) -> Event {
        while position < bytes.count {
            if state == .content {
                let count = min(remaining, bytes.count - position)
                let content = ByteRange(position, position + count)
                position += count
                remaining -= count
                if remaining == 0 { state = .contentReturn }
                return .content(content)
            }
            let byte = bytes[position]
            position += 1
            if let event = step(byte) { return event }
        }
        return state == .ended ? .done : .more
    }

    private mutating func step(_ byte: UInt8) -> Event? {
        switch state {
        case .size, .sizeDigits, .sizeBlank, .sizeExtension: return stepSize(byte)
        case .sizeFeed:
            guard byte == 0x0A else { return .refused(.badChunk) }
            state = remaining == 0 ? .trailerStart : .content
            digits = 0
            lineLength = 0
        case .contentReturn:
            guard byte == 0x0D else { return .refused(.badChunk) }
            state = .contentFeed
        case .contentFeed:
            guard byte == 0x0A else { return .refused(.badChunk) }
            state = .size
        case .trailerStart, .trailerLine, .trailerFeed, .endFeed: return stepTrailer(byte)
        case .content, .ended: return .refused(.badChunk)
        }
        return nil
    }

    private mutating func stepSize(_ byte: UInt8) -> Event? {
        lineLength += 1
        guard lineLength <= Self.maxSizeLine else { return .refused(.badChunk) }
        if byte == 0x0D {
            // White space may only stand before an extension (section 7.1.1).
            guard digits > 0, state != .sizeBlank else { return .refused(.badChunk) }
            state = .sizeFeed
            return nil
        }
        switch state {
        case .size, .sizeDigits:
            if let digit = hexDigit(byte) {
                // 15 digits are 2^60: nothing overflows before it is found too large.
                guard digits < 15 else { return .refused(.badChunk) }
                remaining = remaining << 4 | digit
                guard remaining <= Self.maxChunk else { return .refused(.badChunk) }
                digits += 1
                state = .sizeDigits
                return nil
            }
            guard digits > 0 else { return .refused(.badChunk) }
            if byte == 0x3B {
                state = .sizeExtension
            } else if isBlank(byte) {
                state = .sizeBlank
            } else {
                return .refused(.badChunk)
            }
        case .sizeBlank:
            if byte == 0x3B { state = .sizeExtension } else if !isBlank(byte) { return .refused(.badChunk) }
        default:
            guard !isControl(byte) else { return .refused(.badChunk) }
        }
        return nil
    }

    private mutating func stepTrailer(_ byte: UInt8) -> Event? {
        trailerBytes += 1
        guard trailerBytes <= HTTPWire.maxHeadBytes else { return .refused(.headTooLarge) }
        switch state {
        case .trailerStart where byte == 0x0D: state = .endFeed
        // At once, not when the line ends: what came so far is on its way to somebody for whom LF may end a line.
        case .trailerStart where isControl(byte) || isBlank(byte), .trailerLine where isControl(byte) && byte != 0x0D:
            return .refused(.badTrailer)
        case .trailerStart:
            line.removeAll(keepingCapacity: true)
            line.append(byte)
            state = .trailerLine
        case .trailerLine where byte == 0x0D: state = .trailerFeed
        case .trailerLine: line.append(byte)
        case .trailerFeed:
            guard byte == 0x0A else { return .refused(.badTrailer) }
            guard line.withUnsafeBytes({ isGoodTrailer($0, contextName: contextName) }) else {
                return .refused(.badTrailer)
            }
            state = .trailerStart
            if reportsTrailers, case .success(let field) = line.withUnsafeBytes({ Field.parse($0, 0, $0.count) }) {
                return .trailer(field)
            }
        default:
            guard byte == 0x0A else { return .refused(.badTrailer) }
            state = .ended
            return .done
        }
        return nil
    }
}

private func isControl(_ byte: UInt8) -> Bool { (byte < 0x20 && byte != 0x09) || byte == 0x7F }

private func hexDigit(_ byte: UInt8) -> Int? {
    switch byte {
    case 0x30...0x39: Int(byte) - 0x30
    case 0x41...0x46: Int(byte) - 0x41 + 10
    case 0x61...0x66: Int(byte) - 0x61 + 10
    default: nil
    }
}
