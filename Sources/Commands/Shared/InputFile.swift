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
