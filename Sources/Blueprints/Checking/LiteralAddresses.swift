/// Finds the names of services that stand in a value as an address: `db:5432`, `//cache:6379`, `@db/`.
enum LiteralAddresses {
    /// The services that the text addresses. A name counts only as a whole word with what makes it an address around it:
    /// `//` or `@` before and `:port`, `/`, `?`, `,` or the end after; or a port of two to five digits after.
    static func services(in text: String, among names: Set<String>) -> Set<String> {
        let bytes = Array(text.utf8)
        let hasScheme = text.contains("://")
        var found: Set<String> = []
        var start = 0
        while start < bytes.count {
            guard isWord(bytes[start]) else {
                start += 1
                continue
            }
            let end = bytes[start...].firstIndex { !isWord($0) } ?? bytes.count
            defer { start = end }
            guard end - start <= NameRule.maxBytes else { continue }
            let word = String(decoding: bytes[start..<end], as: UTF8.self)
            guard names.contains(word) else { continue }
            if isAddress(bytes, start, end, hasScheme: hasScheme) { found.insert(word) }
        }
        return found
    }

    private static func isAddress(_ bytes: [UInt8], _ start: Int, _ end: Int, hasScheme: Bool) -> Bool {
        let isAfterSlashes = start >= 2 && bytes[start - 1] == 0x2F && bytes[start - 2] == 0x2F
        let isAfterAt = start >= 1 && bytes[start - 1] == 0x40
        if end < bytes.count, bytes[end] == 0x3A {
            let digits = bytes[(end + 1)...].prefix { (0x30...0x39).contains($0) }
            let after = end + 1 + digits.count
            let isPort = (2...5).contains(digits.count) && (after == bytes.count || !isWord(bytes[after]))
            // `path/db:5432` and `x:db:5432` are something else.
            let isAfterBoundary = start == 0 || " ,;=\"'([|".utf8.contains(bytes[start - 1])
            return isPort && (isAfterSlashes || isAfterAt || isAfterBoundary)
        }
        let endsHost = end == bytes.count || "/?,#".utf8.contains(bytes[end])
        if isAfterSlashes { return endsHost }
        // `someone@team` is a mail address; `postgres://app@db` is not.
        return isAfterAt && endsHost && (hasScheme || end < bytes.count)
    }

    private static func isWord(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x2D, 0x2E, 0x5F: true
        default: byte >= 0x80
        }
    }
}
