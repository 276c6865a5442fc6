/// A value that has exactly one way to be written: the JSON of docs/internals/fingerprints.md.
///
/// Members that say what is the default anyway are left out by whoever makes one (``members(_:)`` drops `nil`), so that a
/// field which is new changes the fingerprint of nothing that does not use it.
package indirect enum CanonicalValue: Sendable, Hashable {
    case text(String)
    case number(Int)
    case flag(Bool)
    /// The order means something.
    case list([CanonicalValue])
    /// The order means nothing: written sorted by the bytes of its elements, each once.
    case set([CanonicalValue])
    case map([String: CanonicalValue])

    /// Of seconds and other numbers with a fraction, as the shortest text that reads back as the same number.
    static func decimal(_ value: Double) -> CanonicalValue {
        Int(exactly: value).map { .number($0) } ?? .text("\(value)")
    }

    static func texts(_ values: [String]) -> CanonicalValue { .list(values.map { .text($0) }) }

    static func texts(_ values: [String: String]) -> CanonicalValue { .map(values.mapValues { .text($0) }) }

    /// A map of those that are not `nil`.
    static func members(_ values: KeyValuePairs<String, CanonicalValue?>) -> CanonicalValue {
        var map: [String: CanonicalValue] = [:]
        for (key, value) in values { map[key] = value }
        return .map(map)
    }

    /// UTF-8, without any space.
    package var bytes: [UInt8] {
        var bytes: [UInt8] = []
        write(to: &bytes)
        return bytes
    }

    private func write(to bytes: inout [UInt8]) {
        switch self {
        case .text(let text): Self.write(text, to: &bytes)
        case .number(let number): bytes += "\(number)".utf8
        case .flag(let flag): bytes += (flag ? "true" : "false").utf8
        case .list(let values):
            bytes.append(UInt8(ascii: "["))
            for (index, value) in values.enumerated() {
                if index > 0 { bytes.append(UInt8(ascii: ",")) }
                value.write(to: &bytes)
            }
            bytes.append(UInt8(ascii: "]"))
        case .set(let values):
            var elements = values.map(\.bytes).sorted { $0.lexicographicallyPrecedes($1) }
            elements = elements.indices.filter { $0 == 0 || elements[$0] != elements[$0 - 1] }.map { elements[$0] }
            Self.write(elements, to: &bytes)
        case .map(let map):
            let members = map.map { (key: Array($0.key.utf8), name: $0.key, value: $0.value) }
            bytes.append(UInt8(ascii: "{"))
            var isFirst = true
            for member in members.sorted(by: { $0.key.lexicographicallyPrecedes($1.key) }) {
                if !isFirst { bytes.append(UInt8(ascii: ",")) }
                isFirst = false
                Self.write(member.name, to: &bytes)
                bytes.append(UInt8(ascii: ":"))
                member.value.write(to: &bytes)
            }
            bytes.append(UInt8(ascii: "}"))
        }
    }

    private static func write(_ elements: [[UInt8]], to bytes: inout [UInt8]) {
        bytes.append(UInt8(ascii: "["))
        for (index, element) in elements.enumerated() {
            if index > 0 { bytes.append(UInt8(ascii: ",")) }
            bytes += element
        }
        bytes.append(UInt8(ascii: "]"))
    }

    /// Only what must be escaped is, always in the same way: `\"`, `\\`, and `\u00xx` for what is below a space.
    private static func write(_ text: String, to bytes: inout [UInt8]) {
        bytes.append(UInt8(ascii: "\""))
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"): bytes += [UInt8(ascii: "\\"), byte]
            case 0..<0x20:
                bytes += "\\u00".utf8
                bytes += [hex(byte >> 4), hex(byte & 15)]
            default: bytes.append(byte)
            }
        }
        bytes.append(UInt8(ascii: "\""))
    }

    static func hex(_ digit: UInt8) -> UInt8 { digit < 10 ? 0x30 + digit : 0x57 + digit }
}
