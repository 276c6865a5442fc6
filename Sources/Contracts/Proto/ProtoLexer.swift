/// One word, number, text or sign of a proto file.
struct ProtoToken: Sendable {
    enum Kind: Sendable, Equatable {
        case word(String)
        /// As written: `1`, `0x1F`, `017`, `1.5e3`.
        case number(String)
        case text(String)
        case symbol(Character)
        case end
    }

    var kind: Kind
    var spot: Spot

    func isWord(_ word: String) -> Bool { kind == .word(word) }
    func isSymbol(_ symbol: Character) -> Bool { kind == .symbol(symbol) }
    var word: String? { if case .word(let word) = kind { word } else { nil } }
    var text: String? { if case .text(let text) = kind { text } else { nil } }

    /// Octal, hexadecimal or decimal; `nil` for everything else and for what does not fit.
    var integer: Int? {
        guard case .number(let text) = kind else { return nil }
        if text.hasPrefix("0x") || text.hasPrefix("0X") { return Int(text.dropFirst(2), radix: 16) }
        if text.count > 1, text.hasPrefix("0") { return Int(text.dropFirst(), radix: 8) }
        return Int(text)
    }

    /// For messages.
    var shown: String {
        switch kind {
        case .word(let text), .number(let text): "`\(shortened(text))`"
        case .text(let text): "\"\(shortened(text))\""
        case .symbol(let symbol): "`\(symbol)`"
        case .end: "the end of the file"
        }
    }
}

struct ProtoFailure: Error {
    var code = "proto_syntax"
    var message: String
    var spot: Spot
}

/// Bytes of a proto file → tokens; comments are left out. See the language specification of proto2 and proto3, "Lexical
/// elements".
struct ProtoLexer {
    private let bytes: [UInt8]
    private var position = 0
    private var line: Int32 = 1
    private var column: Int32 = 1

    init(_ bytes: [UInt8]) {
        self.bytes = bytes
        if bytes.starts(with: [0xEF, 0xBB, 0xBF]) { position = 3 }
    }

    private var spot: Spot { Spot(line: line, column: column) }
    private var byte: UInt8? { position < bytes.count ? bytes[position] : nil }
    private var following: UInt8? { position + 1 < bytes.count ? bytes[position + 1] : nil }

    private mutating func advance() {
        let byte = bytes[position]
        position += 1
        if byte == 0x0A {
            line += 1
            column = 1
        } else if byte & 0xC0 != 0x80 {
            column += 1
        }
    }

    mutating func next() throws(ProtoFailure) -> ProtoToken {
        try skipSpace()
        let start = spot
        guard let first = byte else { return ProtoToken(kind: .end, spot: start) }
        switch first {
        case UInt8(ascii: "\""), UInt8(ascii: "'"): return ProtoToken(kind: .text(try text(first)), spot: start)
        case UInt8(ascii: "0")...UInt8(ascii: "9"):
            return ProtoToken(kind: .number(run { Self.isWordByte($0) || $0 == UInt8(ascii: ".") }), spot: start)
        case _ where Self.isWordByte(first): return ProtoToken(kind: .word(run(Self.isWordByte)), spot: start)
        case 0x21...0x7E:
            advance()
            return ProtoToken(kind: .symbol(Character(Unicode.Scalar(first))), spot: start)
        default: throw ProtoFailure(message: "this character does not belong here", spot: start)
        }
    }

    private static func isWordByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"):
            true
        default: false
        }
    }

    private mutating func run(_ belongs: (UInt8) -> Bool) -> String {
        let start = position
        while let byte, belongs(byte) { advance() }
        return String(decoding: bytes[start..<position], as: UTF8.self)
    }

    private mutating func skipSpace() throws(ProtoFailure) {
        while let current = byte {
            switch (current, following) {
            case (0x20, _), (0x09...0x0D, _): advance()
            case (UInt8(ascii: "/"), UInt8(ascii: "/")):
                while let byte, byte != 0x0A { advance() }
            case (UInt8(ascii: "/"), UInt8(ascii: "*")):
                let start = spot
                advance()
                advance()
                while !(byte == UInt8(ascii: "*") && following == UInt8(ascii: "/")) {
                    guard byte != nil else { throw ProtoFailure(message: "a comment is not ended", spot: start) }
                    advance()
                }
                advance()
                advance()
            default: return
            }
        }
    }

    private mutating func text(_ quote: UInt8) throws(ProtoFailure) -> String {
        let start = spot
        advance()
        var content: [UInt8] = []
        while let current = byte {
            if current == quote {
                advance()
                return String(decoding: content, as: UTF8.self)
            }
            if current == 0x0A { break }
            // Names and versions have no escapes; of other texts only the end matters.
            if current == UInt8(ascii: "\\") {
                advance()
                guard byte != nil else { break }
            }
            content.append(bytes[position])
            advance()
        }
        throw ProtoFailure(message: "a text is not ended", spot: start)
    }
}
