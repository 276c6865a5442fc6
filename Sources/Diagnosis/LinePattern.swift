import Glibc

/// A line of output with holes: `password authentication failed for user "{}"`. The text between the holes is looked for
/// anywhere in the line and in this order; each hole takes as little as it can, the last one the rest of the line.
///
/// Not a regular expression on purpose: a table of these is read at a glance, cannot backtrack without end, and costs one
/// search per line.
struct LinePattern: Sendable, Hashable, ExpressibleByStringLiteral {
    let text: String
    private let parts: [[UInt8]]

    init(_ text: String) {
        self.text = text
        var parts: [[UInt8]] = [[]]
        var rest = Array(text.utf8)[...]
        while let byte = rest.popFirst() {
            if byte == UInt8(ascii: "{"), rest.first == UInt8(ascii: "}") {
                rest = rest.dropFirst()
                parts.append([])
            } else {
                parts[parts.count - 1].append(byte)
            }
        }
        self.parts = parts
    }

    init(stringLiteral text: String) { self.init(text) }

    /// What stands in the holes; `nil` where the line is another one.
    func captures(in line: String) -> [String]? {
        var line = line
        return line.withUTF8 { bytes in
            var captures: [String] = []
            var position = 0
            for (index, part) in parts.enumerated() {
                let found: Int
                if part.isEmpty {
                    // A hole at the end takes the rest, one at the beginning starts there.
                    found = index == 0 ? 0 : bytes.count
                } else if let place = Self.find(part, in: bytes, from: position) {
                    found = place
                } else {
                    return nil
                }
                if index > 0 {
                    captures.append(String(decoding: bytes[position..<found], as: UTF8.self))
                }
                position = found + part.count
            }
            return captures
        }
    }

    /// Whether its longest part is anywhere in a text of many lines.
    func isPossible(in text: String) -> Bool {
        let part = parts.max { $0.count < $1.count } ?? []
        var text = text
        return part.isEmpty || text.withUTF8 { Self.find(part, in: $0, from: 0) != nil }
    }

    private static func find(_ part: [UInt8], in bytes: UnsafeBufferPointer<UInt8>, from start: Int) -> Int? {
        guard let base = bytes.baseAddress, let first = part.first else { return nil }
        return part.withUnsafeBytes { part in
            var position = start
            while bytes.count - position >= part.count,
                let found = memchr(base + position, Int32(first), bytes.count - part.count - position + 1)
            {
                let place = UnsafeRawPointer(found) - UnsafeRawPointer(base)
                // Not empty, so it has an address.
                if memcmp(found, part.baseAddress!, part.count) == 0 { return place }
                position = place + 1
            }
            return nil
        }
    }
}
