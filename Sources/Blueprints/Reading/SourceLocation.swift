/// A file that values come from.
package struct SourceFile: Sendable, Hashable, Codable {
    /// As shown in diagnostics.
    package var name: String
    /// Absolute; what relative paths written in the file are relative to.
    package var folder: String
    /// What the file was registered as; `nil` for the person's own file and those that it extends by path.
    package var origin: SourceOrigin?

    package init(name: String, folder: String, origin: SourceOrigin? = nil) {
        self.name = name
        self.folder = folder
        self.origin = origin
    }

    /// `shop.yaml`, or `org@3 (org.yaml)`.
    package var shown: String { origin.map { "\($0) (\(name))" } ?? name }
}

/// A registered layer, or a parent environment, in one revision: whose file a value was written in.
package struct SourceOrigin: Sendable, Hashable, Codable, CustomStringConvertible {
    package enum Kind: String, Sendable, Hashable, Codable {
        case layer, environment
    }

    package var kind: Kind
    package var name: String
    package var revision: Int

    package init(_ kind: Kind, _ name: String, revision: Int) {
        self.kind = kind
        self.name = name
        self.revision = revision
    }

    /// `org@3` for a layer, `shop#r12` for an environment.
    package var description: String {
        switch kind {
        case .layer: "\(name)@\(revision)"
        case .environment: "\(name)#r\(revision)"
        }
    }
}

/// Where a key or value stands.
package struct SourceLocation: Sendable, Hashable {
    package var file: SourceFile
    /// From 1.
    package var line: Int
    /// From 1, in Unicode scalars.
    package var column: Int

    package init(file: SourceFile, line: Int, column: Int) {
        self.file = file
        self.line = line
        self.column = column
    }
}

extension Diagnostic {
    init(
        _ severity: Severity, code: String, _ message: String, at location: SourceLocation, hint: String? = nil
    ) {
        self.init(
            severity, code: code, message: message, file: location.file.shown, line: location.line,
            column: location.column, hint: hint)
    }

    /// `file:line:column: error: message`, and the hint on a line of its own.
    package var rendered: String {
        var place = file.isEmpty ? "blueprint" : file
        if line > 0 { place += ":\(line):\(column)" }
        let text = "\(place): \(severity.rawValue): \(message) [\(code)]"
        return hint.map { "\(text)\nhint: \($0)" } ?? text
    }
}

extension Diagnostic: Comparable {
    /// By position, errors before warnings at one place.
    package static func < (left: Diagnostic, right: Diagnostic) -> Bool {
        if left.file != right.file { return left.file < right.file }
        if left.line != right.line { return left.line < right.line }
        if left.column != right.column { return left.column < right.column }
        if left.severity != right.severity { return left.severity == .error }
        return (left.code, left.message) < (right.code, right.message)
    }
}
