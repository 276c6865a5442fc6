#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// A half-open range of a message's bytes.
package struct ByteRange: Sendable, Hashable {
    package var start: Int32
    package var end: Int32

    package init(_ start: Int, _ end: Int) {
        self.start = Int32(truncatingIfNeeded: start)
        self.end = Int32(truncatingIfNeeded: end)
    }

    package static let empty = ByteRange(0, 0)

    package var count: Int { Int(end) - Int(start) }
    package var isEmpty: Bool { end <= start }
    package var range: Range<Int> { Int(start)..<Int(end) }

    /// The bytes of the range; `bytes` must be those that the range was made from.
    package func of(_ bytes: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(rebasing: bytes[range])
    }

    /// The range without white space (SP, HTAB) at both ends.
    package func trimmed(in bytes: UnsafeRawBufferPointer) -> ByteRange {
        var first = Int(start)
        var last = Int(end)
        while first < last, isBlank(bytes[first]) { first += 1 }
        while first < last, isBlank(bytes[last - 1]) { last -= 1 }
        return ByteRange(first, last)
    }
}

@inline(__always)
func isBlank(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x09 }

@inline(__always)
func isDigit(_ byte: UInt8) -> Bool { byte >= 0x30 && byte <= 0x39 }

/// ASCII only: what HTTP means by comparing without case.
@inline(__always)
package func asciiLowercased(_ byte: UInt8) -> UInt8 { byte >= 0x41 && byte <= 0x5A ? byte | 0x20 : byte }

/// RFC 9110 section 5.6.2, as two bit sets.
@inline(__always)
func isTokenByte(_ byte: UInt8) -> Bool {
    // ! # $ % & ' * + - . 0-9
    let low: UInt64 = 0x03FF_6CFA_0000_0000
    // A-Z ^ _ ` a-z | ~
    let high: UInt64 = 0x57FF_FFFF_C7FF_FFFE
    if byte < 64 { return (low >> UInt64(byte)) & 1 == 1 }
    if byte < 128 { return (high >> UInt64(byte - 64)) & 1 == 1 }
    return false
}

/// Position of the first `byte` at or after `from`, or nil.
@inline(__always)
package func firstIndex(of byte: UInt8, in bytes: UnsafeRawBufferPointer, from: Int) -> Int? {
    guard from < bytes.count, let base = bytes.baseAddress else { return nil }
    guard let found = memchr(base + from, Int32(byte), bytes.count - from) else { return nil }
    return UnsafeRawPointer(found) - base
}

/// Whether `bytes` equals `text` without case; `text` must be lower case.
package func equalsIgnoringCase(_ bytes: UnsafeRawBufferPointer, _ text: StaticString) -> Bool {
    guard bytes.count == text.utf8CodeUnitCount else { return false }
    let other = text.utf8Start
    for index in 0..<bytes.count where asciiLowercased(bytes[index]) != other[index] { return false }
    return true
}

package func equalsIgnoringCase(_ bytes: UnsafeRawBufferPointer, _ other: UnsafeRawBufferPointer) -> Bool {
    guard bytes.count == other.count else { return false }
    for index in 0..<bytes.count where asciiLowercased(bytes[index]) != asciiLowercased(other[index]) { return false }
    return true
}

/// Exact comparison with an ASCII constant.
package func equals(_ bytes: UnsafeRawBufferPointer, _ text: StaticString) -> Bool {
    guard bytes.count == text.utf8CodeUnitCount, let base = bytes.baseAddress else { return false }
    return memcmp(base, text.utf8Start, bytes.count) == 0
}

/// The first control byte (RFC 9110 section 5.5: anything below SP but HTAB, and DEL), eight bytes at a time.
func firstControlByte(in bytes: UnsafeRawBufferPointer, _ start: Int, _ end: Int) -> UInt8? {
    var index = start
    let ones: UInt64 = 0x0101_0101_0101_0101
    let tops: UInt64 = 0x8080_8080_8080_8080
    while index + 8 <= end {
        let word = bytes.loadUnaligned(fromByteOffset: index, as: UInt64.self)
        let belowSpace = (word &- ones &* 0x20) & ~word & tops
        let flipped = word ^ (ones &* 0x7F)
        let isDelete = (flipped &- ones) & ~flipped & tops
        if belowSpace | isDelete != 0, let found = slowControlByte(in: bytes, index, index + 8) { return found }
        index += 8
    }
    return slowControlByte(in: bytes, index, end)
}

private func slowControlByte(in bytes: UnsafeRawBufferPointer, _ start: Int, _ end: Int) -> UInt8? {
    for index in start..<end {
        let byte = bytes[index]
        if (byte < 0x20 && byte != 0x09) || byte == 0x7F { return byte }
    }
    return nil
}

/// A label of a DNS name (RFC 1123): 1 to 63 letters, digits and inner hyphens.
package func isDNSLabel(_ bytes: UnsafeRawBufferPointer) -> Bool {
    guard bytes.count >= 1, bytes.count <= 63, bytes[0] != 0x2D, bytes[bytes.count - 1] != 0x2D else { return false }
    for byte in bytes {
        let lower = asciiLowercased(byte)
        guard isDigit(byte) || byte == 0x2D || (lower >= 0x61 && lower <= 0x7A) else { return false }
    }
    return true
}
