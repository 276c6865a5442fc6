import EnvironmentGraph

/// The format of segment files. A segment is ``magic`` and blocks; a block is complete in itself, so that a segment can
/// go, or end anywhere, without making others unreadable. All numbers are little-endian.
///
/// ```
/// block     u32 "MSXB" · u32 bytes of what follows the checksum · u64 checksum of that · body
/// body      i64 sealedAt · i64 earliest start · u32 strings · u32 places · u32 spans · strings… · places… · spans…
/// string    u16 bytes · UTF-8
/// place     u16 each: caller, service, environment's id, its name, context's id, its name, provider's id, its name, the
///           gateway's error code · u32 the provider's revision; the numbers are of strings, 0 is the empty one
/// span      u64 trace (high, low), span, parent · i64 start · u64 duration, until the answer's head, bytes in, bytes out
///           · u16 place, status, flags · u8 carrier, attempts, bytes of the route · route
/// ```
///
/// Times are nanoseconds, points in time since 1970. A block without its checksum is the torn end of what was being
/// written when the machine stopped: reading ends before it, and the next writer cuts it off.
enum SpanBlock {
    static let magic: UInt64 = 0x3130_4E50_5358_534D  // "MSXSPN01"
    static let magicBytes = 8
    static let mark: UInt32 = 0x4258_534D  // "MSXB"
    static let headBytes = 16
    static let bodyHeadBytes = 28
    /// Of a span without its route.
    static let spanBytes = 81
    /// No block is longer: what says it is longer is no block.
    static let maxBodyBytes = 4 << 20

    /// Of a body; a word at a time. It finds tearing and rot, and is no protection from anybody.
    static func checksum(_ bytes: UnsafeRawBufferPointer) -> UInt64 {
        var hash: UInt64 = 0x9E37_79B9_7F4A_7C15 ^ UInt64(bytes.count)
        var index = 0
        while index + 8 <= bytes.count {
            let word = UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: index, as: UInt64.self))
            hash = (hash ^ word) &* 0xBF58_476D_1CE4_E5B9
            hash ^= hash >> 29
            index += 8
        }
        while index < bytes.count {
            hash = (hash ^ UInt64(bytes[index])) &* 0x100_0000_01B3
            index += 1
        }
        return (hash ^ (hash >> 32)) &* 0x94D0_49BB_1331_11EB
    }

    /// Where the body of the block at `offset` is; `nil` where no whole block begins there.
    static func body(in bytes: UnsafeRawBufferPointer, at offset: Int) -> Range<Int>? {
        guard offset + headBytes + bodyHeadBytes <= bytes.count,
            UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: UInt32.self)) == mark
        else { return nil }
        let count = Int(UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: offset + 4, as: UInt32.self)))
        let start = offset + headBytes
        guard count >= bodyHeadBytes, count <= maxBodyBytes, start + count <= bytes.count else { return nil }
        let stored = UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: offset + 8, as: UInt64.self))
        guard checksum(UnsafeRawBufferPointer(rebasing: bytes[start..<(start + count)])) == stored else { return nil }
        return start..<(start + count)
    }

    /// The bodies of a segment's blocks in their order, and where the last whole one ends. 0: this is no segment.
    static func bodies(in bytes: UnsafeRawBufferPointer) -> (bodies: [Range<Int>], end: Int) {
        guard bytes.count >= magicBytes,
            UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: 0, as: UInt64.self)) == magic
        else { return ([], 0) }
        var found: [Range<Int>] = []
        var end = magicBytes
        while let body = body(in: bytes, at: end) {
            found.append(body)
            end = body.upperBound
        }
        return (found, end)
    }
}

/// Who called whom, and who answered: what many spans share.
package struct SpanPlace: Sendable, Hashable {
    /// An environment's id and the name that it had.
    package struct Environment: Sendable, Hashable {
        package var id: EnvironmentID
        package var name: String
    }

    /// `edge` or a service's name.
    package var caller: String
    package var service: String
    /// Whose address was used.
    package var environment: Environment
    package var context: Environment?
    /// Whose copy was found; `nil` where there was none.
    package var provider: Environment?
    /// Of the provider.
    package var revision: Int
    /// The gateway's own error code, where it answered itself.
    package var fault: String?
}

/// A trace's id, as it is written and looked for.
package struct TraceKey: Sendable, Hashable, Comparable {
    package var high: UInt64
    package var low: UInt64

    package init(high: UInt64, low: UInt64) {
        self.high = high
        self.low = low
    }

    /// 32 digits in lower case; 16 for an id of 64 bits.
    package var hex: String { high == 0 ? Span.hex(low) : Span.hex(high) + Span.hex(low) }

    /// The ids that ``hex`` begins so for.
    package struct Prefix: Sendable, Hashable {
        private let digits: Int
        private let high: UInt64
        private let low: UInt64

        /// - Parameter text: 1 to 32 hexadecimal digits; `nil` for anything else.
        package init?(_ text: String) {
            digits = text.utf8.count
            guard (1...32).contains(digits), text.allSatisfy({ $0.isASCII && $0.isHexDigit }) else { return nil }
            let padded = text + String(repeating: "0", count: 32 - digits)
            guard let high = UInt64(padded.prefix(16), radix: 16), let low = UInt64(padded.suffix(16), radix: 16) else {
                return nil
            }
            (self.high, self.low) = (high, low)
        }

        package func matches(_ key: TraceKey) -> Bool {
            if key.high == 0 { return digits <= 16 ? Self.agree(key.low, high, digits) : high == 0 && isLow(key) }
            return Self.agree(key.high, high, min(16, digits)) && (digits <= 16 || isLow(key))
        }

        private func isLow(_ key: TraceKey) -> Bool { Self.agree(key.low, low, digits - 16) }

        private static func agree(_ number: UInt64, _ other: UInt64, _ digits: Int) -> Bool {
            (number ^ other) >> UInt64(64 - 4 * digits) == 0
        }
    }

    package static func < (left: Self, right: Self) -> Bool { (left.high, left.low) < (right.high, right.low) }
}

/// One request through a gateway, as read from its files.
package struct Span: Sendable, Hashable {
    package var trace: TraceKey
    package var id: UInt64
    /// 0 for none.
    package var parent: UInt64
    package var place: SpanPlace
    /// Method and path; what the path had over 96 bytes is left out.
    package var route: String
    package var routeIsCut: Bool
    /// 0 where no answer came.
    package var status: Int
    /// Nanoseconds since 1970.
    package var startedAt: Int64
    /// Nanoseconds.
    package var duration: Int64
    /// Nanoseconds until the answer's head; 0 where none came.
    package var firstByte: Int64
    package var requestBytes: UInt64
    package var responseBytes: UInt64
    package var carrier: Carrier
    package var carriersDisagree: Bool
    package var leak: CallLeak?
    /// A suspected leak that was answered `409`.
    package var leakIsRefused: Bool
    /// Its trace is that of the only request that its caller was answering; it named none itself.
    package var isAttributed: Bool
    package var isSampled: Bool
    /// A side broke off before the answer was complete.
    package var isBroken: Bool
    /// At the edge: a call within the trace has lost its context.
    package var contextLost: Bool
    package var ignoredContext: Bool
    /// Whether the copy was asked.
    package var reachedProvider: Bool
    package var attempts: Int

    package var end: Int64 { startedAt + duration }

    /// 16 digits, in lower case.
    package static func hex(_ id: UInt64) -> String {
        let digits = String(id, radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits
    }
}
