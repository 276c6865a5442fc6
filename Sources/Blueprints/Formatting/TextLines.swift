/// A text by lines and Unicode scalars, as libyaml counts them.
struct TextLines {
    /// Without line breaks; a last, empty one is not there.
    let lines: [[Unicode.Scalar]]

    /// `\r\n` and `\r` are line breaks like `\n`, as in YAML; a byte order mark is dropped.
    init(_ text: String) {
        var lines: [[Unicode.Scalar]] = [[]]
        var isAfterReturn = false
        for (index, scalar) in text.unicodeScalars.enumerated() {
            if index == 0, scalar == "\u{FEFF}" { continue }
            if scalar == "\n", isAfterReturn {
                isAfterReturn = false
                continue
            }
            isAfterReturn = scalar == "\r"
            if scalar == "\n" || scalar == "\r" {
                lines.append([])
            } else {
                lines[lines.count - 1].append(scalar)
            }
        }
        if lines.last == [] { lines.removeLast() }
        self.lines = lines
    }

    var text: String { lines.map { Self.string($0[...]) + "\n" }.joined() }

    static func string(_ scalars: ArraySlice<Unicode.Scalar>) -> String {
        var view = String.UnicodeScalarView()
        view.append(contentsOf: scalars)
        return String(view)
    }

    /// From 1; empty past the end.
    func line(_ number: Int) -> ArraySlice<Unicode.Scalar> {
        lines.indices.contains(number - 1) ? lines[number - 1][...] : []
    }

    func indent(_ number: Int) -> Int { line(number).prefix { $0 == " " }.count }

    func isBlank(_ number: Int) -> Bool { line(number).allSatisfy { $0 == " " || $0 == "\t" } }

    func isComment(_ number: Int) -> Bool { line(number).first { $0 != " " && $0 != "\t" } == "#" }

    /// Without spaces and tabs on both sides.
    static func trimmed(_ scalars: ArraySlice<Unicode.Scalar>) -> ArraySlice<Unicode.Scalar> {
        trimmedRight(scalars.drop { $0 == " " || $0 == "\t" })
    }

    static func trimmedRight(_ scalars: ArraySlice<Unicode.Scalar>) -> ArraySlice<Unicode.Scalar> {
        guard let last = scalars.lastIndex(where: { $0 != " " && $0 != "\t" }) else { return [] }
        return scalars[scalars.startIndex...last]
    }
}

/// Finds all comments of a text by asking libyaml where everything else is.
enum CommentScan {
    /// Each from `#` to the end of its line, without spaces behind.
    static func comments(_ text: TextLines) -> [String] {
        var taken: [Int: [Range<Int>]] = [:]
        var whole: Set<Int> = []
        let bytes = Array(text.text.utf8)
        bytes.withUnsafeBufferPointer { buffer in
            let events = YAMLEvents(buffer)
            while let event = try? events.next() {
                if case .streamEnd = event.kind { break }
                guard case .scalar = event.kind else { continue }
                if event.isBlockScalar {
                    // The line of `|` may end with a comment; what follows is text.
                    if event.line + 1 < event.endLine + (event.endColumn > 1 ? 1 : 0) {
                        whole.formUnion((event.line + 1)..<(event.endLine + (event.endColumn > 1 ? 1 : 0)))
                    }
                } else {
                    for line in event.line...max(event.line, event.endLine) {
                        let from = line == event.line ? event.column - 1 : 0
                        let to = line == event.endLine ? event.endColumn - 1 : text.line(line).count
                        if from < to { taken[line, default: []].append(from..<to) }
                    }
                }
            }
        }
        var found: [String] = []
        for number in text.lines.indices.map({ $0 + 1 }) where !whole.contains(number) {
            let line = text.line(number)
            guard line.first != "%" else { continue }
            // In the order of the text, as libyaml comes by them.
            var ranges = (taken[number] ?? [])[...]
            for index in line.indices where line[index] == "#" {
                while let first = ranges.first, first.upperBound <= index { ranges = ranges.dropFirst() }
                let isAfterSpace = index == 0 || line[index - 1] == " " || line[index - 1] == "\t"
                guard isAfterSpace, !(ranges.first?.contains(index) ?? false) else { continue }
                found.append(TextLines.string(TextLines.trimmedRight(line[index...])))
                break
            }
        }
        return found
    }
}
