#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// Bytes that are written once and kept for the next message: it grows and never shrinks.
///
/// Belongs to one connection and is used on its event loop only.
package final class WireBuffer {
    private var storage: UnsafeMutableRawBufferPointer
    package private(set) var count = 0

    package init(capacity: Int = 1024) {
        storage = .allocate(byteCount: capacity, alignment: 8)
    }

    deinit { storage.deallocate() }

    package var isEmpty: Bool { count == 0 }

    /// What was written; valid until the next write.
    package var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(rebasing: storage[0..<count]) }

    package func clear() { count = 0 }

    package var capacity: Int { storage.count }

    /// Moves what stands behind the first `length` bytes to the front.
    package func removeFirst(_ length: Int) {
        let rest = count - length
        if rest > 0, let base = storage.baseAddress { memmove(base, base + length, rest) }
        count = rest
    }

    @inline(__always)
    private func reserve(_ more: Int) {
        if count + more > storage.count { grow(more) }
    }

    private func grow(_ more: Int) {
        let larger = UnsafeMutableRawBufferPointer.allocate(byteCount: (count + more) * 2, alignment: 8)
        larger.copyMemory(from: bytes)
        storage.deallocate()
        storage = larger
    }

    package func append(_ bytes: UnsafeRawBufferPointer) {
        guard !bytes.isEmpty, let source = bytes.baseAddress else { return }
        reserve(bytes.count)
        // `reserve` made the storage at least one byte large, so it has an address.
        storage.baseAddress!.advanced(by: count).copyMemory(from: source, byteCount: bytes.count)
        count += bytes.count
    }

    package func append(_ text: StaticString) {
        append(UnsafeRawBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
    }

    package func append(_ bytes: [UInt8]) { bytes.withUnsafeBytes { append($0) } }

    package func append(byte: UInt8) {
        reserve(1)
        storage[count] = byte
        count += 1
    }

    /// Least significant byte first.
    @inline(__always)
    package func append<Number: FixedWidthInteger & BitwiseCopyable>(little value: Number) {
        reserve(MemoryLayout<Number>.size)
        storage.storeBytes(of: value.littleEndian, toByteOffset: count, as: Number.self)
        count += MemoryLayout<Number>.size
    }

    /// Room for `more` bytes, all of which `fill` writes.
    @inline(__always)
    package func append(count more: Int, _ fill: (UnsafeMutableRawBufferPointer) -> Void) {
        reserve(more)
        fill(UnsafeMutableRawBufferPointer(rebasing: storage[count..<(count + more)]))
        count += more
    }

    /// Puts a number over what was written at `offset`.
    package func replace(at offset: Int, with value: UInt64) {
        precondition(offset + 8 <= count, "nothing was written there")
        storage.storeBytes(of: value.littleEndian, toByteOffset: offset, as: UInt64.self)
    }

    package func append(decimal value: Int) {
        var divisor = 1
        while value / divisor >= 10 { divisor *= 10 }
        while divisor > 0 {
            append(byte: UInt8(0x30 + value / divisor % 10))
            divisor /= 10
        }
    }

    /// Sixteen lower-case hexadecimal digits.
    package func append(hex value: UInt64) {
        for shift in stride(from: 60, through: 0, by: -4) {
            let digit = UInt8((value >> UInt64(shift)) & 15)
            append(byte: digit < 10 ? 0x30 + digit : 0x57 + digit)
        }
    }

    /// `name: value` and CRLF, copied from `bytes` where name and value stand next to each other there.
    func append(_ field: Field, _ bytes: UnsafeRawBufferPointer) {
        append(field.name.of(bytes))
        append(": ")
        append(field.value.of(bytes))
        append("\r\n")
    }
}
