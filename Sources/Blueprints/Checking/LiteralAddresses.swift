/// Finds the names of services that stand in a variable's value as an address, without `${…}`.
///
/// A name counts only as a whole word (letters, digits, `-`, `_`, `.`) with what makes it an address around it:
///
/// | written | where |
/// |---|---|
/// | `db:5432` | a port of two to five digits after, and before it the beginning, a space, one of `,;="'([|`, `//` or `@` |
/// | `//cache`, `@db` | then `/`, `?`, `#`, `,` or the end; a bare `x@db` is a mail address where there is no `://` |
/// | `//a,b,c` | after another address and a comma |
/// | `host=db`, `Server=tcp:db,1433` | the key of a pair says that it is a host; then a space, `;`, `,` or the end |
/// | `db`, `es01,es02` | the whole value, where the variable's own name says that it is a host (``isHostKey(_:)``) |
enum LiteralAddresses {
    struct Occurrence: Hashable {
        var service: String
        /// Of the name, in the text's UTF-8.
        var bytes: Range<Int>
        /// What stands after the name as its port.
        var port: Int?
        /// Of the port's digits.
        var portBytes: Range<Int>?
    }

    /// The services that the text addresses.
    ///
    /// - Parameter key: the variable's name, where the text is its whole value.
    static func services(in text: String, key: String? = nil, among names: Set<String>) -> Set<String> {
        Set(occurrences(in: text, key: key, among: names).map(\.service))
    }

    /// In the order of the text.
    static func occurrences(in text: String, key: String? = nil, among names: Set<String>) -> [Occurrence] {
        let bytes = Array(text.utf8)
        let isHosts = key.map(isHostKey) ?? false && isListOfWords(bytes)
        let hasScheme = text.contains("://")
        var found: [Occurrence] = []
        /// Where the last address ended, its port included.
        var lastEnd = -1
        var start = 0
        while start < bytes.count {
            guard isWord(bytes[start]) else {
                start += 1
                continue
            }
            let end = bytes[start...].firstIndex { !isWord($0) } ?? bytes.count
            defer { start = end }
            guard end - start <= maxWord else { continue }
            let isNext = lastEnd >= 0 && lastEnd == start - 1 && bytes[start - 1] == 0x2C
            let address = address(bytes, start, end, hasScheme: hasScheme, isNext: isNext)
            guard let address = address ?? (isHosts ? Address() : nil) else { continue }
            // A list goes on also after a host that is no service.
            lastEnd = address.port?.bytes.upperBound ?? end
            let word = String(decoding: bytes[start..<end], as: UTF8.self)
            guard names.contains(word) else { continue }
            found.append(
                Occurrence(
                    service: word, bytes: start..<end, port: address.port?.number, portBytes: address.port?.bytes))
        }
        return found
    }

    /// Compose allows longer names than we do; what is longer than a DNS name is none.
    private static let maxWord = 253

    private struct Address {
        var port: (number: Int, bytes: Range<Int>)?
    }

    private static func address(
        _ bytes: [UInt8], _ start: Int, _ end: Int, hasScheme: Bool, isNext: Bool
    ) -> Address? {
        let isAfterSlashes = start >= 2 && bytes[start - 1] == 0x2F && bytes[start - 2] == 0x2F
        let isAfterAt = start >= 1 && bytes[start - 1] == 0x40
        if end < bytes.count, bytes[end] == 0x3A {
            let digits = bytes[(end + 1)...].prefix { (0x30...0x39).contains($0) }
            let after = end + 1 + digits.count
            guard (2...5).contains(digits.count), after == bytes.count || !isWord(bytes[after]) else { return nil }
            // `path/db:5432` and `x:db:5432` are something else.
            let isAfterBoundary = start == 0 || " ,;=\"'([|".utf8.contains(bytes[start - 1])
            guard isAfterSlashes || isAfterAt || isAfterBoundary else { return nil }
            let number = Int(String(decoding: digits, as: UTF8.self)) ?? 0
            return Address(port: (number, (end + 1)..<after))
        }
        let endsHost = end == bytes.count || "/?,#".utf8.contains(bytes[end])
        if isAfterSlashes { return endsHost ? Address() : nil }
        // `someone@team` is a mail address; `postgres://app@db` is not.
        if isAfterAt { return endsHost && (hasScheme || end < bytes.count) ? Address() : nil }
        if isNext, endsHost { return Address() }
        return isValueOfHost(bytes, start, end) ? Address() : nil
    }

    /// `host=db`, `Server=tcp:db,1433`.
    private static func isValueOfHost(_ bytes: [UInt8], _ start: Int, _ end: Int) -> Bool {
        guard end == bytes.count || " ;,\"'&".utf8.contains(bytes[end]) else { return false }
        var equals = start - 1
        if start >= 4, bytes[(start - 4)..<start].elementsEqual("tcp:".utf8) { equals = start - 5 }
        guard equals > 0, bytes[equals] == 0x3D else { return false }
        let key = bytes[..<equals].suffix(32).reversed().prefix { isWord($0) }.reversed()
        return isHostKey(String(decoding: Array(key), as: UTF8.self))
    }

    /// Whether a key says that its value is where something is: its last word is `host`, `addr`, `address`, `server`,
    /// `endpoint`, `url`, `uri` or `broker` (or one of these in the plural), or it ends with `HOST`, as `PGHOST` does.
    static func isHostKey(_ key: String) -> Bool {
        guard key.utf8.count <= 128 else { return false }
        var last: [UInt8] = []
        var before: UInt8 = 0
        for byte in key.utf8 {
            let isLetter = (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte)
            if !isLetter {
                // `HOST_1` and `host1` are hosts.
                if !(0x30...0x39).contains(byte), !last.isEmpty { before = 0x5F }
                continue
            }
            let beginsWord = before == 0x5F || (0x61...0x7A).contains(before) && (0x41...0x5A).contains(byte)
            if beginsWord { last = [] }
            last.append(byte | 0x20)
            before = byte
        }
        let word = String(decoding: last, as: UTF8.self)
        let singular = word.hasSuffix("s") && !word.hasSuffix("ss") ? String(word.dropLast()) : word
        return word.hasSuffix("host") || hostWords.contains(word) || hostWords.contains(singular)
            || word == "addresses"
    }

    private static let hostWords: Set<String> = [
        "host", "hostname", "addr", "address", "server", "endpoint", "url", "uri", "broker",
    ]

    /// `es01`, or `es01,es02`: nothing but words and what parts them.
    private static func isListOfWords(_ bytes: [UInt8]) -> Bool {
        bytes.allSatisfy { isWord($0) || $0 == 0x2C || $0 == 0x3B || $0 == 0x20 }
    }

    private static func isWord(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x2D, 0x2E, 0x5F: true
        default: byte >= 0x80
        }
    }
}
