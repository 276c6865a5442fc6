/// Bytes of a Blueprint file → located tree, with every refusal at a position, in time and memory that the limits bound.
struct BlueprintReader {
    let file: SourceFile
    let limits: ReaderLimits
    /// See ``TreeBuilder/dropsTags``.
    var dropsTags = false

    init(file: SourceFile, limits: ReaderLimits = ReaderLimits()) {
        self.file = file
        self.limits = limits
    }

    /// The tree is `nil` where nothing could be made of the file; then there is at least one error.
    func read(_ bytes: [UInt8]) -> (value: LocatedValue?, diagnostics: [Diagnostic]) {
        guard bytes.count <= limits.bytes else {
            let at = location(ofByte: limits.bytes, in: bytes)
            return refused("yaml_too_large", "the file has \(bytes.count) bytes; at most \(limits.bytes) are read", at)
        }
        guard bytes.prefix(2) != [0xFF, 0xFE], bytes.prefix(2) != [0xFE, 0xFF] else {
            return refused(
                "not_utf8", "the file is UTF-16", location(ofByte: 0, in: bytes), hint: "save the file as UTF-8")
        }
        // A UTF-8 byte order mark says nothing and is dropped.
        let text = bytes.prefix(3) == [0xEF, 0xBB, 0xBF] ? Array(bytes.dropFirst(3)) : bytes
        if let at = tooManyDirectives(text) {
            return refused("yaml_too_large", "more than \(limits.directives) lines that begin with `%`", at)
        }
        if let bad = Self.firstInvalidByte(text) {
            return refused(
                "not_utf8", "byte 0x\(hexadecimal(text[bad])) is not UTF-8", location(ofByte: bad, in: text),
                hint: "save the file as UTF-8")
        }
        return build(text)
    }

    private func build(_ text: [UInt8]) -> (LocatedValue?, [Diagnostic]) {
        text.withUnsafeBufferPointer { buffer in
            var builder = TreeBuilder(events: YAMLEvents(buffer), file: file, limits: limits)
            builder.dropsTags = dropsTags
            do {
                guard let root = try builder.document(), !root.isNull else {
                    return refused(
                        "empty_blueprint", "the file says nothing", SourceLocation(file: file, line: 1, column: 1))
                }
                return (root, builder.diagnostics)
            } catch let refusal as TreeBuilder.Refusal {
                return (nil, builder.diagnostics + [refusal.diagnostic])
            } catch let failure as YAMLFailure {
                return (nil, builder.diagnostics + [diagnostic(failure, text)])
            } catch {
                let start = SourceLocation(file: file, line: 1, column: 1)
                return (nil, [Diagnostic(.error, code: "yaml_syntax", "\(error)", at: start)])
            }
        }
    }

    private func diagnostic(_ failure: YAMLFailure, _ text: [UInt8]) -> Diagnostic {
        if let offset = failure.byteOffset {
            let at = location(ofByte: min(offset, text.count), in: text)
            return Diagnostic(.error, code: "yaml_syntax", failure.problem, at: at)
        }
        let at = SourceLocation(file: file, line: failure.line, column: failure.column)
        // libyaml complains about what a tab led to; the tab is what to mend.
        let line = self.line(failure.line, of: text)
        let isFlow = text.first { $0 > 0x20 }.map { $0 == 0x7B || $0 == 0x5B } ?? false
        let indentation = line.prefix { $0 == 0x20 || $0 == 0x09 }
        if !isFlow, let tab = indentation.firstIndex(of: 0x09) {
            let place = SourceLocation(file: file, line: failure.line, column: tab - line.startIndex + 1)
            return Diagnostic(
                .error, code: "tab_indentation", "a tab; YAML is indented with spaces", at: place,
                hint: "replace each tab by two spaces")
        }
        return Diagnostic(.error, code: "yaml_syntax", failure.problem, at: at)
    }

    /// libyaml compares each `%TAG` with all before it.
    private func tooManyDirectives(_ text: [UInt8]) -> SourceLocation? {
        var count = 0
        var line = 1
        for index in text.indices {
            let isLineStart = index == 0 || text[index - 1] == 0x0A || text[index - 1] == 0x0D
            if text[index] == 0x0A { line += 1 }
            guard isLineStart, text[index] == 0x25 else { continue }
            count += 1
            if count > limits.directives { return SourceLocation(file: file, line: line, column: 1) }
        }
        return nil
    }

    private func line(_ number: Int, of text: [UInt8]) -> ArraySlice<UInt8> {
        var start = 0
        var current = 1
        while current < number, let newline = text[start...].firstIndex(of: 0x0A) {
            start = newline + 1
            current += 1
        }
        return text[start...].prefix { $0 != 0x0A }
    }

    private func location(ofByte offset: Int, in bytes: [UInt8]) -> SourceLocation {
        var line = 1
        var lineStart = 0
        for (index, byte) in bytes.prefix(offset).enumerated() where byte == 0x0A {
            line += 1
            lineStart = index + 1
        }
        // Continuation bytes do not begin a scalar.
        let scalars = bytes[lineStart..<offset].count { $0 & 0xC0 != 0x80 }
        return SourceLocation(file: file, line: line, column: scalars + 1)
    }

    private func refused(
        _ code: String, _ message: String, _ at: SourceLocation, hint: String? = nil
    ) -> (LocatedValue?, [Diagnostic]) {
        (nil, [Diagnostic(.error, code: code, message, at: at, hint: hint)])
    }

    /// The offset of the first byte that no valid UTF-8 sequence has there.
    static func firstInvalidByte(_ bytes: [UInt8]) -> Int? {
        if String(validating: bytes, as: UTF8.self) != nil { return nil }
        var decoder = Unicode.UTF8.ForwardParser()
        var iterator = bytes.makeIterator()
        var offset = 0
        while true {
            switch decoder.parseScalar(from: &iterator) {
            case .valid(let scalar): offset += scalar.count
            case .emptyInput, .error: return min(offset, bytes.count - 1)
            }
        }
    }

    private func hexadecimal(_ byte: UInt8) -> String { String(byte, radix: 16, uppercase: true) }
}
