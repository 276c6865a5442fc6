/// Small grammars inside of Compose's values.
enum ComposeText {
    /// Splits as a shell does, without running anything: quotes and backslashes (POSIX shell, section 2.2).
    static func words(_ text: String) -> [String] {
        var words: [String] = []
        var word = ""
        var isWord = false
        var quote: Character?
        var iterator = text.makeIterator()
        while let character = iterator.next() {
            if let open = quote {
                if character == open {
                    quote = nil
                } else if open == "\"", character == "\\", let next = iterator.next() {
                    if !"\"\\$`\n".contains(next) { word.append("\\") }
                    word.append(next)
                } else {
                    word.append(character)
                }
            } else if character == "'" || character == "\"" {
                quote = character
                isWord = true
            } else if character == "\\" {
                if let next = iterator.next(), !next.isNewline { word.append(next) }
                isWord = true
            } else if character == " " || character == "\t" || character.isNewline {
                if isWord { words.append(word) }
                (word, isWord) = ("", false)
            } else {
                word.append(character)
                isWord = true
            }
        }
        if isWord { words.append(word) }
        return words
    }

    /// `1m30s`, `500ms`, `10`: in seconds, as Go's `time.ParseDuration`, and plain seconds.
    static func seconds(_ text: String) -> Double? {
        if let number = Double(text), number.isFinite, number >= 0 { return number }
        let units: [String: Double] = [
            "h": 3600, "m": 60, "s": 1, "ms": 1e-3, "us": 1e-6, "µs": 1e-6, "ns": 1e-9, "d": 86400,
        ]
        var total = 0.0
        var rest = text[...]
        guard !rest.isEmpty, text.utf8.count <= 64 else { return nil }
        while !rest.isEmpty {
            let digits = rest.prefix { $0.isASCII && $0.isNumber || $0 == "." }
            rest = rest.dropFirst(digits.count)
            let unit = rest.prefix { $0.isLetter || $0 == "µ" }
            rest = rest.dropFirst(unit.count)
            guard let number = Double(digits), let factor = units[String(unit)] else { return nil }
            total += number * factor
        }
        return total.isFinite ? total : nil
    }

    /// `1.5G`, `512mb`, `2048k`, `64`: powers of 1024, as Compose counts; as a quantity.
    static func memory(_ text: String) -> String? {
        let lower = text.lowercased()
        let digits = lower.prefix { $0.isASCII && $0.isNumber || $0 == "." }
        let factors: [String: Double] = [
            "": 1, "b": 1, "k": 1024, "kb": 1024, "ki": 1024, "kib": 1024, "m": 1_048_576, "mb": 1_048_576,
            "mi": 1_048_576, "mib": 1_048_576, "g": 1_073_741_824, "gb": 1_073_741_824, "gi": 1_073_741_824,
            "gib": 1_073_741_824, "t": 1_099_511_627_776, "tb": 1_099_511_627_776,
        ]
        guard let number = Double(digits), let factor = factors[String(lower.dropFirst(digits.count))] else {
            return nil
        }
        let bytes = (number * factor).rounded(.up)
        guard bytes > 0, bytes < 9e15 else { return nil }
        return Quantity("\(Int(bytes))")?.normalForm
    }

    /// `0.5`, `2`: as a quantity.
    static func processors(_ text: String) -> String? {
        guard let number = Double(text), number > 0, number < 1e6 else { return nil }
        let thousandths = Int((number * 1000).rounded(.up))
        return thousandths % 1000 == 0 ? "\(thousandths / 1000)" : "\(thousandths)m"
    }

    /// The lines of a file of variables: `KEY=value`, `export KEY='value'`, `# comment`.
    static func variables(_ bytes: [UInt8]) -> [(key: String, value: String?, line: Int)] {
        let text = String(decoding: bytes, as: UTF8.self)
        var result: [(key: String, value: String?, line: Int)] = []
        let lines = text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline)
        for (index, line) in lines.enumerated() where result.count < Fields.maxItems {
            var rest = trimmed(line)
            if rest.hasPrefix("export ") { rest = trimmed(rest.dropFirst(7)) }
            guard !rest.isEmpty, !rest.hasPrefix("#") else { continue }
            guard let equals = rest.firstIndex(of: "=") else {
                result.append((String(rest), nil, index + 1))
                continue
            }
            let key = String(trimmed(rest[..<equals]))
            var value = trimmed(rest[rest.index(after: equals)...])
            if value.count >= 2, let quote = value.first, quote == "'" || quote == "\"",
                let end = value.dropFirst().firstIndex(of: quote)
            {
                value = value[value.index(after: value.startIndex)..<end]
            } else if let comment = value.firstRange(of: " #") {
                value = trimmed(value[..<comment.lowerBound])
            }
            result.append((key, String(value), index + 1))
        }
        return result
    }

    private static func trimmed(_ text: Substring) -> Substring {
        let start = text.drop { $0 == " " || $0 == "\t" }
        guard let last = start.lastIndex(where: { $0 != " " && $0 != "\t" && $0 != "\r" }) else { return "" }
        return start[...last]
    }
}
