import Foundation
import Glibc

/// A TCP socket of this machine that is listened on (`/proc/net/tcp`, `/proc/net/tcp6`; proc_net(5)).
struct ListeningSocket: Sendable, Hashable {
    var address: String
    var port: Int
    /// `socket:[inode]`, as the links in `/proc/<pid>/fd` say.
    var link: String

    static func all() -> [ListeningSocket] {
        ["/proc/net/tcp", "/proc/net/tcp6"].flatMap { table in
            let bytes = SmallFile.read(table, limit: 16 << 20) ?? []
            return parse(String(decoding: bytes, as: UTF8.self))
        }
    }

    /// - Parameter table: the text of the file, with its heading.
    static func parse(_ table: String) -> [ListeningSocket] {
        table.split(separator: "\n").dropFirst().compactMap { line in
            let fields = line.split(separator: " ")
            // State 0A is TCP_LISTEN.
            guard fields.count > 9, fields[3] == "0A", let colon = fields[1].lastIndex(of: ":"),
                let port = Int(fields[1][fields[1].index(after: colon)...], radix: 16),
                let address = address(fields[1][..<colon])
            else { return nil }
            return ListeningSocket(address: address, port: port, link: "socket:[\(fields[9])]")
        }
    }

    /// The kernel writes each 32 bits of an address as one hexadecimal number in the machine's own byte order.
    private static func address(_ text: Substring) -> String? {
        var words: [UInt32] = []
        var rest = text
        while !rest.isEmpty {
            guard let word = UInt32(rest.prefix(8), radix: 16) else { return nil }
            words.append(word)
            rest = rest.dropFirst(8)
        }
        guard words.count == 1 || words.count == 4 else { return nil }
        var buffer = [CChar](repeating: 0, count: Int(INET6_ADDRSTRLEN))
        let family = words.count == 1 ? AF_INET : AF_INET6
        guard inet_ntop(family, words, &buffer, socklen_t(buffer.count)) != nil else { return nil }
        return String(decoding: buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}
