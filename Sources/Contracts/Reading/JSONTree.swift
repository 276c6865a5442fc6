/// JSON (RFC 8259) → located tree, within the limits.
struct JSONTree {
    struct Failure: Error {
        var code = "json_syntax"
        var message: String
        var spot: Spot
    }

    private let bytes: [UInt8]
    private var position = 0
    private var line: Int32 = 1
    private var lineStart = 0
    /// Continuation bytes since the start of the line: they begin no character.
    private var continuations: Int32 = 0
    private var nodes = 0

    /// - Parameter bytes: UTF-8.
    static func read(_ bytes: [UInt8]) -> Result<Node, Failure> {
        var tree = JSONTree(bytes: bytes)
        do throws(Failure) {
            tree.skipSpace()
            let root = try tree.value(depth: 1)
            tree.skipSpace()
            guard tree.position == bytes.count else { throw tree.failure("there is more after the end of the value") }
            return .success(root)
        } catch {
            return .failure(error)
        }
    }

    private init(bytes: [UInt8]) { self.bytes = bytes }

    private var spot: Spot { Spot(line: line, column: Int32(position - lineStart) - continuations + 1) }

    private var byte: UInt8 { position < bytes.count ? bytes[position] : 0 }

    private func failure(_ message: String, code: String = "json_syntax") -> Failure {
        Failure(code: code, message: message, spot: spot)
    }

    private mutating func skipSpace() {
        while position < bytes.count {
            switch bytes[position] {
            case 0x20, 0x09, 0x0D: position += 1
            case 0x0A:
                position += 1
                line += 1
                lineStart = position
                continuations = 0
            default: return
            }
        }
    }

    private mutating func value(depth: Int) throws(Failure) -> Node {
        nodes += 1
        guard nodes <= ContractLimits.nodes else {
            throw failure("more than \(ContractLimits.nodes) keys and values", code: "contract_too_large")
        }
        guard depth <= ContractLimits.depth else {
            throw failure("more than \(ContractLimits.depth) maps and lists inside each other", code: "too_deep")
        }
        let start = spot
        switch byte {
        case UInt8(ascii: "{"): return try object(start, depth: depth)
        case UInt8(ascii: "["): return try array(start, depth: depth)
        case UInt8(ascii: "\""): return Node(.scalar(try string(), .text), at: start)
        case UInt8(ascii: "t"): return try literal("true", .scalar("true", .boolean), start)
        case UInt8(ascii: "f"): return try literal("false", .scalar("false", .boolean), start)
        case UInt8(ascii: "n"): return try literal("null", .null, start)
        default: return try number(start)
        }
    }

    private mutating func object(_ start: Spot, depth: Int) throws(Failure) -> Node {
        position += 1
        var entries: [Node.Entry] = []
        var seen: Set<String> = []
        skipSpace()
        if byte == UInt8(ascii: "}") {
            position += 1
            return Node(.mapping([]), at: start)
        }
        while true {
            skipSpace()
            guard byte == UInt8(ascii: "\"") else { throw failure("a key in quotes is missing here") }
            let at = spot
            let key = try string()
            guard seen.insert(key).inserted else {
                throw Failure(code: "duplicate_key", message: "`\(shortened(key))` stands twice in this map", spot: at)
            }
            skipSpace()
            guard byte == UInt8(ascii: ":") else { throw failure("a `:` is missing here") }
            position += 1
            skipSpace()
            entries.append(.init(key: key, spot: at, value: try value(depth: depth + 1)))
            if try isEnd(UInt8(ascii: "}")) { return Node(.mapping(entries), at: start) }
        }
    }

    private mutating func array(_ start: Spot, depth: Int) throws(Failure) -> Node {
        position += 1
        var items: [Node] = []
        skipSpace()
        if byte == UInt8(ascii: "]") {
            position += 1
            return Node(.sequence([]), at: start)
        }
        while true {
            skipSpace()
            items.append(try value(depth: depth + 1))
            if try isEnd(UInt8(ascii: "]")) { return Node(.sequence(items), at: start) }
        }
    }

    private mutating func isEnd(_ closing: UInt8) throws(Failure) -> Bool {
        skipSpace()
        defer { position += 1 }
        if byte == closing { return true }
        guard byte == UInt8(ascii: ",") else {
            throw failure("a `,` or `\(Character(Unicode.Scalar(closing)))` is missing here")
        }
        return false
    }

    private mutating func literal(_ word: String, _ content: Node.Content, _ start: Spot) throws(Failure) -> Node {
        guard bytes[position...].starts(with: word.utf8) else { throw failure("no value begins like this") }
        position += word.utf8.count
        return Node(content, at: start)
    }

    private mutating func number(_ start: Spot) throws(Failure) -> Node {
        let first = position
        while position < bytes.count, (0x30...0x39).contains(byte) || "+-.eE".utf8.contains(byte) { position += 1 }
        let text = String(decoding: bytes[first..<position], as: UTF8.self)
        guard first < position, text.first != "+", text.first != ".", Double(text) != nil else {
            throw Failure(message: "no value begins like this", spot: start)
        }
        return Node(.scalar(text, .number), at: start)
    }

    private mutating func string() throws(Failure) -> String {
        position += 1
        var start = position
        var text: [UInt8]?
        while position < bytes.count {
            switch bytes[position] {
            case UInt8(ascii: "\""):
                let rest = bytes[start..<position]
                position += 1
                guard var whole = text else { return String(decoding: rest, as: UTF8.self) }
                whole += rest
                return String(decoding: whole, as: UTF8.self)
            case UInt8(ascii: "\\"):
                var whole = text ?? []
                whole += bytes[start..<position]
                whole += try escape()
                text = whole
                start = position
            case 0..<0x20: throw failure("a control character stands in a text; write it as an escape")
            case 0x80..<0xC0:
                continuations += 1
                position += 1
            default: position += 1
            }
        }
        throw failure("a text is not ended")
    }

    /// The bytes that the escape at the present position stands for.
    private mutating func escape() throws(Failure) -> [UInt8] {
        position += 1
        let kind = byte
        position += 1
        switch kind {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): return [kind]
        case UInt8(ascii: "b"): return [0x08]
        case UInt8(ascii: "f"): return [0x0C]
        case UInt8(ascii: "n"): return [0x0A]
        case UInt8(ascii: "r"): return [0x0D]
        case UInt8(ascii: "t"): return [0x09]
        case UInt8(ascii: "u"): break
        default: throw failure("no escape begins like this")
        }
        var code = try fourDigits()
        if (0xD800..<0xDC00).contains(code), bytes[position...].starts(with: [UInt8(ascii: "\\"), UInt8(ascii: "u")]) {
            position += 2
            let low = try fourDigits()
            code = (0xDC00..<0xE000).contains(low) ? 0x10000 + (code - 0xD800) << 10 + (low - 0xDC00) : 0xFFFD
        }
        // A lone half of a pair is no character.
        return Array(String(Unicode.Scalar(code) ?? "\u{FFFD}").utf8)
    }

    private mutating func fourDigits() throws(Failure) -> UInt32 {
        let end = position + 4
        guard end <= bytes.count, let code = UInt32(String(decoding: bytes[position..<end], as: UTF8.self), radix: 16),
            bytes[position] != UInt8(ascii: "+"), bytes[position] != UInt8(ascii: "-")
        else { throw failure("four hexadecimal digits are missing here") }
        position = end
        return code
    }
}
