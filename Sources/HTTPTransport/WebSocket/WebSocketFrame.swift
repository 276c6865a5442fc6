/// One frame on the wire: RFC 6455 section 5.2, without extensions.
struct WebSocketFrame: Sendable, Hashable {
    enum Opcode: UInt8, Sendable {
        case continuation = 0
        case text = 1
        case binary = 2
        case close = 8
        case ping = 9
        case pong = 10

        var isControl: Bool { rawValue >= 8 }
    }

    /// Of a control frame (section 5.5).
    static let maxControlBytes = 125

    var opcode: Opcode
    var isFinal = true
    var payload: [UInt8]

    /// - Parameter mask: a client's frames are masked, a server's are not (section 5.1). A key of zeros is a mask that
    ///   changes nothing.
    func encoded(mask: UInt32?) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(payload.count + 14)
        bytes.append((isFinal ? 0x80 : 0) | opcode.rawValue)
        let maskBit: UInt8 = mask == nil ? 0 : 0x80
        switch payload.count {
        case ...125: bytes.append(maskBit | UInt8(payload.count))
        case ...0xFFFF:
            bytes.append(maskBit | 126)
            Self.append(UInt64(payload.count), bytes: 2, to: &bytes)
        default:
            bytes.append(maskBit | 127)
            Self.append(UInt64(payload.count), bytes: 8, to: &bytes)
        }
        guard let mask else { return bytes + payload }
        Self.append(UInt64(mask), bytes: 4, to: &bytes)
        var masked = payload
        Self.apply(mask, to: &masked)
        return bytes + masked
    }

    /// Masks or unmasks (section 5.3); the key's first byte on the wire is its highest.
    static func apply(_ mask: UInt32, to payload: inout [UInt8]) {
        guard mask != 0, !payload.isEmpty else { return }
        let key = UInt64(mask.bigEndian)
        let wide = key | key << 32
        payload.withUnsafeMutableBytes { bytes in
            var index = 0
            // Eight bytes at a time: byte by byte is most of a transfer's time in a debug build.
            while index + 8 <= bytes.count {
                let value = bytes.loadUnaligned(fromByteOffset: index, as: UInt64.self) ^ wide
                bytes.storeBytes(of: value, toByteOffset: index, as: UInt64.self)
                index += 8
            }
            while index < bytes.count {
                bytes[index] ^= UInt8(truncatingIfNeeded: mask >> (24 - 8 * UInt32(index % 4)))
                index += 1
            }
        }
    }

    private static func append(_ value: UInt64, bytes count: Int, to bytes: inout [UInt8]) {
        for index in (0..<count).reversed() { bytes.append(UInt8(truncatingIfNeeded: value >> (8 * UInt64(index)))) }
    }
}
