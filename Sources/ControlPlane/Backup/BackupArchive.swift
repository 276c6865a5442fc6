import Crypto
import Files
import Foundation
import Storage

/// The container of a backup: a POSIX tar (ustar, IEEE Std 1003.1-2001, pax, "ustar Interchange Format") with nothing but
/// regular files in it, so that any tar can open it. Every byte of it follows from the names and the contents; whatever is
/// otherwise was changed on the way.
struct BackupArchive {
    struct Member: Sendable, Hashable {
        let name: String
        let offset: Int
        let bytes: Int
    }

    private static let block = 512
    /// What the size field of a header holds: 11 octal digits.
    static let largestMember = (1 << 33) - 1
    static let chunk = 1 << 20

    // MARK: Writing

    enum Content {
        case bytes([UInt8])
        case file(String, bytes: Int)
    }

    static func write(_ members: [(name: String, content: Content)], to file: FileWriter) throws(FileFailure) {
        for (name, content) in members {
            switch content {
            case .bytes(let bytes):
                try file.write(header(name, bytes.count))
                try file.write(bytes + padding(bytes.count))
            case .file(let path, let count):
                try file.write(header(name, count))
                var written = 0
                try eachChunk(of: path) { (chunk) throws(FileFailure) in
                    written += chunk.count
                    try file.write(chunk)
                }
                // It is a copy of our own, which nobody changes.
                guard written == count else { throw FileFailure("read", path, code: EIO) }
                try file.write(padding(count))
            }
        }
        try file.write([UInt8](repeating: 0, count: 2 * block))
    }

    private static func padding(_ count: Int) -> [UInt8] {
        [UInt8](repeating: 0, count: (block - count % block) % block)
    }

    private static func header(_ name: String, _ size: Int) -> [UInt8] {
        var header = [UInt8](repeating: 0, count: block)
        func put(_ text: String, at offset: Int) {
            for (index, byte) in text.utf8.enumerated() { header[offset + index] = byte }
        }
        func octal(_ number: Int, _ digits: Int) -> String {
            let text = String(number, radix: 8)
            return String(repeating: "0", count: digits - text.count) + text
        }
        put(name, at: 0)
        put("0000600", at: 100)
        put("0000000", at: 108)
        put("0000000", at: 116)
        put(octal(size, 11), at: 124)
        put("00000000000", at: 136)
        put("0", at: 156)
        put("ustar", at: 257)
        put("00", at: 263)
        put("        ", at: 148)
        put(octal(header.reduce(0) { $0 + Int($1) }, 6) + "\0 ", at: 148)
        return header
    }

    // MARK: Reading

    /// The members of the file at `path`, in order; their contents are not looked at.
    ///
    /// - Throws: ``StoreError`` `.corrupt` where anything but contents is not as it was written.
    static func members(of path: String) throws(StoreError) -> [Member] {
        let size = try size(of: path)
        var members: [Member] = []
        var offset = 0
        while true {
            let header = try bytes(of: path, at: offset, block)
            if header.allSatisfy({ $0 == 0 }) { break }
            let name = String(decoding: header.prefix(100).prefix { $0 != 0 }, as: UTF8.self)
            let digits = String(decoding: header[124..<135], as: UTF8.self)
            guard let count = Int(digits, radix: 8), count >= 0, header == Self.header(name, count) else {
                throw damaged(
                    path, members.isEmpty ? "it is no backup of microstax" : "what follows \(members.last?.name ?? "")")
            }
            let end = offset + block + count
            let tail = padding(count)
            guard end + tail.count <= size else { throw damaged(path, "it ends within \(name)") }
            guard try bytes(of: path, at: end, tail.count) == tail else { throw damaged(path, "what follows \(name)") }
            members.append(Member(name: name, offset: offset + block, bytes: count))
            offset = end + tail.count
            guard members.count <= 16 else { throw damaged(path, "it has too many parts") }
        }
        guard size == offset + 2 * block, try bytes(of: path, at: offset, 2 * block).allSatisfy({ $0 == 0 }) else {
            throw damaged(path, "its end")
        }
        return members
    }

    /// The content of a small member.
    static func content(_ member: Member, of path: String) throws(StoreError) -> [UInt8] {
        guard member.bytes <= 64 << 20 else { throw damaged(path, "\(member.name) is too large") }
        return try bytes(of: path, at: member.offset, member.bytes)
    }

    static func sha256(_ member: Member, of path: String) throws(StoreError) -> String {
        var digest = SHA256()
        var offset = member.offset
        let end = member.offset + member.bytes
        while offset < end {
            let part = try bytes(of: path, at: offset, min(chunk, end - offset))
            digest.update(data: part)
            offset += part.count
        }
        return SecretBox.hex(digest.finalize())
    }

    static func extract(_ member: Member, of path: String, to destination: String) throws(StoreError) {
        var failure: StoreError?
        do throws(FileFailure) {
            try AtomicFile.replace(destination) { (file) throws(FileFailure) in
                var offset = member.offset
                let end = member.offset + member.bytes
                while offset < end {
                    let part: [UInt8]
                    do throws(StoreError) {
                        part = try bytes(of: path, at: offset, min(chunk, end - offset))
                    } catch {
                        failure = error
                        throw FileFailure("read", path, code: EIO)
                    }
                    try file.write(part)
                    offset += part.count
                }
            }
        } catch {
            throw failure ?? StoreError(file: error)
        }
    }

    static func damaged(_ path: String, _ what: String) -> StoreError {
        StoreError(
            .corrupt, "the backup \(path) is damaged: \(what)", hint: "use another backup; this one was left as it is")
    }

    // MARK: Bytes

    private static func size(of path: String) throws(StoreError) -> Int {
        var status = stat()
        guard stat(path, &status) == 0 else { throw StoreError(file: FileFailure("read", path)) }
        guard status.st_mode & S_IFMT == S_IFREG else { throw StoreError(.corrupt, "\(path) is no file") }
        return Int(status.st_size)
    }

    private static func bytes(of path: String, at offset: Int, _ count: Int) throws(StoreError) -> [UInt8] {
        guard count > 0 else { return [] }
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw StoreError(file: FileFailure("read", path)) }
        defer { close(descriptor) }
        var bytes = [UInt8](repeating: 0, count: count)
        var done = 0
        while done < count {
            let got = bytes.withUnsafeMutableBytes { buffer in
                pread(descriptor, buffer.baseAddress.map { $0 + done }, count - done, off_t(offset + done))
            }
            if got < 0, errno == EINTR { continue }
            guard got >= 0 else { throw StoreError(file: FileFailure("read", path)) }
            guard got > 0 else { throw damaged(path, "it is cut off") }
            done += got
        }
        return bytes
    }

    /// Reads a file of our own from its beginning to its end.
    static func eachChunk(of path: String, _ body: ([UInt8]) throws(FileFailure) -> Void) throws(FileFailure) {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw FileFailure("read", path) }
        defer { close(descriptor) }
        var buffer = [UInt8](repeating: 0, count: chunk)
        while true {
            let count = read(descriptor, &buffer, buffer.count)
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw FileFailure("read", path) }
            guard count > 0 else { return }
            try body(Array(buffer[..<count]))
        }
    }
}

extension StoreError {
    /// What went wrong with a file that is none of the store's own.
    init(file failure: FileFailure) {
        self.init(
            failure.verb == "read" ? .ioError : .unwritable, "\(failure)",
            hint: failure.isFull ? "make room on the disk of \(failure.path)" : nil)
    }
}
