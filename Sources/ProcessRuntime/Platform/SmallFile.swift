import Files
import Foundation
import Glibc
import Runtimes

/// Small files as a whole: read with a limit, written so that a reader sees the old or the new text and nothing between.
enum SmallFile {
    static let limit = 64 << 20

    /// `nil` where there is none or it cannot be read.
    static func read(_ path: String, limit: Int = SmallFile.limit) -> [UInt8]? {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        var bytes: [UInt8] = []
        var block = [UInt8](repeating: 0, count: 16 << 10)
        while bytes.count < limit {
            let count = block.withUnsafeMutableBytes { Glibc.read(descriptor, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { return count < 0 ? nil : bytes }
            bytes.append(contentsOf: block[..<count])
        }
        return bytes
    }

    static func text(_ path: String) -> String? {
        read(path, limit: 1 << 20).map { String(decoding: $0, as: UTF8.self) }
    }

    /// Mode 0600; with `durably` it survives a power cut.
    static func write(_ bytes: [UInt8], to path: String, durably: Bool) throws {
        do {
            try AtomicFile.write(bytes, to: path, durably: durably)
        } catch {
            throw RuntimeError(.ioError, "\(error)")
        }
    }

    /// One line at the end of a file, in one write.
    static func append(_ line: String, to path: String) {
        let descriptor = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { return }
        let bytes = Array((line + "\n").utf8)
        _ = bytes.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
        close(descriptor)
    }

    /// With its missing parents; the mode holds for `path` itself.
    static func createFolder(_ path: String, mode: mode_t) throws {
        if mkdir(path, mode) != 0 {
            if errno == ENOENT, let slash = path.lastIndex(of: "/"), slash != path.startIndex {
                try createFolder(String(path[..<slash]), mode: 0o755)
                guard mkdir(path, mode) == 0 || errno == EEXIST else { throw failure("create the folder", path) }
            } else if errno != EEXIST {
                throw failure("create the folder", path)
            }
        } else {
            chmod(path, mode)
            return
        }
        var status = stat()
        guard stat(path, &status) == 0, status.st_mode & S_IFMT == S_IFDIR else {
            throw RuntimeError(.ioError, "\(path) is no folder")
        }
    }

    /// From `errno`, which must be read before anything else changes it.
    static func failure(_ verb: String, _ path: String) -> RuntimeError {
        RuntimeError(.ioError, "cannot \(verb) \(path): \(String(cString: strerror(errno)))")
    }
}
