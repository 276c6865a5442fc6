import Glibc
import HTTPWire

/// The files that blocks are appended to: `<number>.spans`, so many of so many bytes; the oldest goes. What is there goes
/// on where it ended, so that starting anew keeps what was recorded.
///
/// `@unchecked Sendable`: used on the store's queue only.
final class SpanSegments: @unchecked Sendable {
    private let folder: String
    private let maxBytes: Int
    private let maxSegments: Int
    private let continuesLast: Bool
    private var file: Int32 = -1
    private var number: UInt64 = 0
    private var size = 0

    /// - Parameter continuesLast: false where another gateway may still write to the newest segment.
    init(folder: String, maxBytes: Int, maxSegments: Int, continuesLast: Bool = true) {
        self.continuesLast = continuesLast
        self.folder = folder
        self.maxBytes = max(maxBytes, 1 << 16)
        self.maxSegments = max(1, maxSegments)
    }

    deinit { if file >= 0 { close(file) } }

    /// The numbers of the segments in a folder, ascending.
    static func numbers(in folder: String) -> [UInt64] {
        guard let listing = opendir(folder) else { return [] }
        defer { closedir(listing) }
        var found: [UInt64] = []
        while let entry = readdir(listing) {
            let name = withUnsafeBytes(of: entry.pointee.d_name) { bytes in
                String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
            }
            if name.hasSuffix(".spans"), let number = UInt64(name.dropLast(6)) { found.append(number) }
        }
        return found.sorted()
    }

    static func path(_ number: UInt64, in folder: String) -> String {
        let digits = String(number)
        return folder + "/" + String(repeating: "0", count: max(0, 8 - digits.count)) + digits + ".spans"
    }

    /// - Returns: whether all of it is in a file. What a full disk took of it is cut off again.
    func append(_ block: UnsafeRawBufferPointer) -> Bool {
        if file < 0, !open() { return false }
        if size > SpanBlock.magicBytes, size + block.count > maxBytes, !begin(number + 1) { return false }
        if write(block) {
            size += block.count
            return true
        }
        // Whatever is left of it has no checksum that fits, and is read by nobody.
        if ftruncate(file, off_t(size)) == 0 { lseek(file, off_t(size), SEEK_SET) } else { giveUp() }
        return false
    }

    /// The newest segment, behind its last whole block.
    private func open() -> Bool {
        mkdir(folder, 0o700)
        guard let last = Self.numbers(in: folder).last else { return begin(1) }
        guard continuesLast else { return begin(last + 1) }
        let found = Glibc.open(Self.path(last, in: folder), O_RDWR | O_CLOEXEC)
        guard found >= 0 else { return false }
        let end = SpanFolder.read(found).map { bytes in bytes.withUnsafeBytes { SpanBlock.bodies(in: $0).end } } ?? 0
        // No segment at all is left as it is, and gives way in its turn.
        guard end > 0, ftruncate(found, off_t(end)) == 0, lseek(found, off_t(end), SEEK_SET) == off_t(end) else {
            close(found)
            return begin(last + 1)
        }
        (file, number, size) = (found, last, end)
        return true
    }

    private func begin(_ next: UInt64) -> Bool {
        var next = next
        var path = Self.path(next, in: folder)
        var made = Glibc.open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        // The gateway before or after this one has taken the number.
        for _ in 0..<100 where made < 0 && errno == EEXIST {
            next += 1
            path = Self.path(next, in: folder)
            made = Glibc.open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        }
        guard made >= 0 else { return false }
        let last = (file, number, size)
        (file, number, size) = (made, next, SpanBlock.magicBytes)
        guard withUnsafeBytes(of: SpanBlock.magic.littleEndian, { write($0) }) else {
            close(made)
            unlink(path)
            (file, number, size) = last
            return false
        }
        if last.0 >= 0 { close(last.0) }
        let all = Self.numbers(in: folder)
        for old in all.dropLast(maxSegments) { unlink(Self.path(old, in: folder)) }
        return true
    }

    private func giveUp() {
        close(file)
        file = -1
    }

    private func write(_ bytes: UnsafeRawBufferPointer) -> Bool {
        var done = 0
        while done < bytes.count {
            let count = Glibc.write(file, bytes.baseAddress.map { $0 + done }, bytes.count - done)
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { return false }
            done += count
        }
        return true
    }
}
