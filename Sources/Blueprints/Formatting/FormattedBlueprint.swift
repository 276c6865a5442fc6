/// What formatting gave.
package struct FormattedBlueprint: Sendable {
    /// `nil` where the text cannot be read.
    package var text: String?
    /// Errors of reading; a warning `not_formatted` where the text is left as it is.
    package var diagnostics: [Diagnostic]
}

extension Blueprint {
    /// The same Blueprint in the usual form: fields in the grammar's order, two spaces for each level, comments where they
    /// were, no blank line twice. Quotes, `[…]` and `{…}` stay as they are written.
    ///
    /// Formatting never changes what is read, and never loses a comment: the result is read again and compared, and where
    /// it differs (or the text is written in a way that this does not know) the text is left as it is, with a warning.
    package static func format(_ bytes: [UInt8], file: String) -> FormattedBlueprint {
        let source = SourceFile(name: file, folder: "/")
        let (before, diagnostics) = BlueprintReader(file: source).read(bytes)
        guard let before, !diagnostics.contains(where: { $0.severity == .error }) else {
            return FormattedBlueprint(text: nil, diagnostics: diagnostics)
        }
        let original = String(decoding: bytes, as: UTF8.self)
        func leftAlone(_ why: String, _ line: Int) -> FormattedBlueprint {
            let at = SourceLocation(file: source, line: max(line, 1), column: 1)
            let warning = Diagnostic(.warning, code: "not_formatted", "left as it is: \(why)", at: at)
            return FormattedBlueprint(text: original, diagnostics: diagnostics + [warning])
        }
        do {
            let text = TextLines(original)
            let tree = try FormatTree(text).root()
            var writer = FormatWriter(text: text)
            let formatted = writer.document(tree)
            let (after, _) = BlueprintReader(file: source).read(Array(formatted.utf8))
            guard let after, SameMeaning.holds(before, after) else { return leftAlone("it would read differently", 1) }
            guard CommentScan.comments(text).sorted() == CommentScan.comments(TextLines(formatted)).sorted() else {
                return leftAlone("a comment would be lost", 1)
            }
            return FormattedBlueprint(text: formatted, diagnostics: diagnostics)
        } catch let refusal as FormatTree.Refusal {
            return leftAlone(refusal.why, refusal.line)
        } catch {
            return leftAlone("it cannot be read", 1)
        }
    }
}

/// Whether two trees say the same; the order of keys is nothing.
enum SameMeaning {
    static func holds(_ left: LocatedValue, _ right: LocatedValue) -> Bool {
        switch (left.content, right.content) {
        case (.mapping(let mine), .mapping(let theirs)):
            guard mine.count == theirs.count else { return false }
            let values = Dictionary(theirs.map { ($0.key, $0.value) }) { first, _ in first }
            return mine.allSatisfy { entry in values[entry.key].map { holds(entry.value, $0) } ?? false }
        case (.sequence(let mine), .sequence(let theirs)):
            return mine.count == theirs.count && zip(mine, theirs).allSatisfy(holds)
        default: return left.content == right.content
        }
    }
}
