/// Collects what became of each thing of an import. A class, so that its parts can share it; used by one task only.
final class ImportNotes {
    /// Of one import; what is more is counted.
    static let limit = 5000

    private var found: [ImportNote] = []
    private var known: Set<ImportNote> = []
    private var more = 0

    func add(_ kind: ImportNote.Kind, _ path: String, _ message: String = "", at location: SourceLocation) {
        let note = ImportNote(
            kind: kind, path: clean(path), message: clean(message), file: location.file.name, line: location.line,
            column: location.column)
        guard found.count < Self.limit else {
            more += 1
            return
        }
        if known.insert(note).inserted { found.append(note) }
    }

    /// By file in the order of reading, then by place.
    var sorted: [ImportNote] {
        var files: [String: Int] = [:]
        for note in found where files[note.file] == nil { files[note.file] = files.count }
        var result = found.enumerated().sorted {
            let (left, right) = ($0.element, $1.element)
            return (files[left.file] ?? 0, left.line, left.column, $0.offset)
                < (files[right.file] ?? 0, right.line, right.column, $1.offset)
        }.map(\.element)
        if more > 0, var last = result.last {
            last.kind = .attention
            last.path = "…"
            last.message = "\(more) more are not shown"
            result.append(last)
        }
        return result
    }

    /// One line, however the file is written.
    private func clean(_ text: String) -> String {
        var result = String.UnicodeScalarView()
        for scalar in text.unicodeScalars.prefix(400) {
            result.append(scalar.value < 0x20 || (0x7F...0x9F).contains(scalar.value) ? " " : scalar)
        }
        return String(result)
    }
}
