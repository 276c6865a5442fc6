import API
import Glibc

/// Reads what a person named, within a limit.
enum InputFile {
    struct Problem: Error {
        var message: String
    }

    /// A Blueprint may be as large; its own limits say more.
    static let maxBytes = 10 << 20

    static func read(_ path: String) throws(Problem) -> [UInt8] {
        let file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard file >= 0 else { throw systemProblem() }
        defer { close(file) }
        return try read(file)
    }

    static func readStandardInput() throws(Problem) -> [UInt8] { try read(0) }

    /// What a person typed; `-` is stdin.
    static func named(_ path: String) throws -> [UInt8] {
        do {
            return try path == "-" ? readStandardInput() : read(path)
        } catch {
            throw CommandFailure(.invalidInput, "cannot read \(path.visible): \(error.message)")
        }
    }

    /// The folder that a file lies in, absolute; this folder for stdin.
    static func folder(of path: String) -> String {
        let absolute = absolute(path == "-" ? "./-" : path)
        let end = absolute.lastIndex(of: "/") ?? absolute.startIndex
        return end == absolute.startIndex ? "/" : String(absolute[..<end])
    }

    /// The path from the root on, without `.` and `..`.
    static func absolute(_ path: String) -> String {
        let here = getcwd(nil, 0).map { name in
            defer { free(name) }
            return String(cString: name)
        }
        var parts: [Substring] = []
        for part in (path.hasPrefix("/") ? path : "\(here ?? "/")/\(path)").split(separator: "/") where part != "." {
            if part == ".." { _ = parts.popLast() } else { parts.append(part) }
        }
        return "/" + parts.joined(separator: "/")
    }

    private static func read(_ file: Int32) throws(Problem) -> [UInt8] {
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 65536)
        while true {
            let count = Glibc.read(file, &buffer, buffer.count)
            if count == 0 { return bytes }
            guard count > 0 else {
                if errno == EINTR { continue }
                throw systemProblem()
            }
            bytes += buffer.prefix(count)
            guard bytes.count <= maxBytes else { throw Problem(message: "it is over \(maxBytes >> 20) MiB") }
        }
    }

    private static func systemProblem() -> Problem { Problem(message: String(cString: strerror(errno))) }
}
