/// Replaces `${…}` in a Compose file's values.
///
/// <https://github.com/compose-spec/compose-spec/blob/main/12-interpolation.md>: `$NAME`, `${NAME}`, `${NAME:-default}`,
/// `${NAME-default}`, `${NAME:?error}`, `${NAME?error}`, `${NAME:+other}`, `${NAME+other}`, nested; `$$` is `$`.
final class ComposeVariables {
    enum Piece: Equatable {
        case text(String)
        /// A variable whose name says that its value is nobody's business.
        case secret(String)
    }

    /// Defaults inside of defaults.
    static let maxDepth = 16

    /// Variables without a value, by the path of what they stand in.
    private(set) var missing: [String: [String]] = [:]
    private let values: [String: String]
    private let notes: ImportNotes

    init(_ values: [String: String], _ notes: ImportNotes) {
        self.values = values
        self.notes = notes
    }

    func isSet(_ name: String) -> Bool { values[name] != nil }

    /// With everything that has a value or a default replaced; neighbouring texts are one.
    func pieces(_ text: String, _ path: String, at location: SourceLocation) -> [Piece] {
        var result: [Piece] = []
        let bytes = Array(text.utf8)
        let place = Place(path: path, location: location, closes: Self.closes(bytes))
        parse(bytes[...], 0, place, &result)
        return result
    }

    /// For values that cannot refer to a secret: there it stays as it is written, for somebody to look at.
    func plain(_ text: String, _ path: String, at location: SourceLocation) -> String {
        guard text.contains("$") else { return text }
        return pieces(text, path, at: location).map { piece in
            switch piece {
            case .text(let text): return text
            case .secret(let name):
                notes.add(.attention, path, "${\(name)} cannot be replaced here; put it into `env`", at: location)
                return "${\(name)}"
            }
        }.joined()
    }

    /// A variable that a service is handed as it is in the shell.
    func handedOn(_ name: String, _ path: String, at location: SourceLocation) -> [Piece] {
        var result: [Piece] = []
        value(of: name, Place(path: path, location: location, closes: [:]), &result)
        return result
    }

    /// Of the text that is parsed.
    private struct Place {
        var path: String
        var location: SourceLocation
        var closes: [Int: Int]
    }

    private func parse(_ text: ArraySlice<UInt8>, _ depth: Int, _ place: Place, _ result: inout [Piece]) {
        var literal: [UInt8] = []
        var rest = text
        func flush(_ result: inout [Piece]) {
            guard !literal.isEmpty else { return }
            append(String(decoding: literal, as: UTF8.self), &result)
            literal = []
        }
        while let byte = rest.first {
            rest = rest.dropFirst()
            guard byte == 0x24, let next = rest.first else {
                literal.append(byte)
                continue
            }
            if next == 0x24 {
                literal.append(0x24)
                rest = rest.dropFirst()
            } else if Self.isNameStart(next) {
                let name = rest.prefix { Self.isNamePart($0) }
                rest = rest.dropFirst(name.count)
                flush(&result)
                value(of: String(decoding: name, as: UTF8.self), place, &result)
            } else if next == 0x7B, depth < Self.maxDepth, let close = place.closes[rest.startIndex] {
                flush(&result)
                expression(rest[(rest.startIndex + 1)..<close], depth, place, &result)
                rest = rest[(close + 1)...]
            } else {
                literal.append(byte)
            }
        }
        flush(&result)
    }

    private func append(_ text: String, _ result: inout [Piece]) {
        if case .text(let before)? = result.last {
            result[result.count - 1] = .text(before + text)
        } else {
            result.append(.text(text))
        }
    }

    /// For every `{`, where the `}` is that belongs to it; found in one go, however deep they lie.
    private static func closes(_ text: [UInt8]) -> [Int: Int] {
        var open: [Int] = []
        var result: [Int: Int] = [:]
        for index in text.indices {
            if text[index] == 0x7B { open.append(index) }
            if text[index] == 0x7D, let start = open.popLast() { result[start] = index }
        }
        return result
    }

    private func expression(
        _ inside: ArraySlice<UInt8>, _ depth: Int, _ place: Place, _ result: inout [Piece]
    ) {
        let nameBytes = inside.prefix { Self.isNamePart($0) }
        let name = String(decoding: nameBytes, as: UTF8.self)
        var rest = inside.dropFirst(nameBytes.count)
        guard let first = nameBytes.first, Self.isNameStart(first) else {
            return append("${" + String(decoding: inside, as: UTF8.self) + "}", &result)
        }
        guard let sign = rest.first else { return value(of: name, place, &result) }
        let countsEmpty = sign == 0x3A
        if countsEmpty { rest = rest.dropFirst() }
        let isThere = values[name].map { !(countsEmpty && $0.isEmpty) } ?? false
        switch rest.first {
        case 0x2D:
            if isThere { return value(of: name, place, &result) }
            parse(rest.dropFirst(), depth + 1, place, &result)
        case 0x3F: value(of: name, place, &result)
        case 0x2B: if isThere { parse(rest.dropFirst(), depth + 1, place, &result) }
        default: append("${" + String(decoding: inside, as: UTF8.self) + "}", &result)
        }
    }

    private func value(of name: String, _ place: Place, _ result: inout [Piece]) {
        if Self.isSecret(name) {
            result.append(.secret(name))
        } else if let value = values[name] {
            notes.add(.changed, place.path, "${\(name)} is replaced by what .env says", at: place.location)
            append(value, &result)
        } else {
            notes.add(
                .attention, place.path, "${\(name)} has no value and no default; it is empty now", at: place.location)
            missing[place.path, default: []].append(name)
            append("", &result)
        }
    }

    /// Whether a variable's name says that its value is a secret.
    static func isSecret(_ name: String) -> Bool {
        let upper = name.uppercased()
        let words = upper.split { !$0.isLetter }.map(String.init)
        // The shell's own folder is no password.
        if words.last == "FILE" || upper == "PWD" { return false }
        let exact: Set<String> = ["PW", "PWD", "PASS", "PASSWD", "TOKEN", "SECRET", "APIKEY", "CREDENTIALS"]
        return upper.contains("PASSWORD") || upper.contains("PASSWD") || upper.contains("SECRET")
            || words.contains(where: exact.contains)
            || words.suffix(2) == ["API", "KEY"] || words.suffix(2) == ["PRIVATE", "KEY"]
            || words.suffix(2) == ["ACCESS", "KEY"]
    }

    private static func isNameStart(_ byte: UInt8) -> Bool {
        (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte) || byte == 0x5F
    }

    private static func isNamePart(_ byte: UInt8) -> Bool { isNameStart(byte) || (0x30...0x39).contains(byte) }
}
