/// Collects the problems of one run. A class, so that the parts of a check can share it; used by one task only.
final class Findings {
    /// Of each severity, in one run; a file with more has one cause, which the first ones show.
    static let limit = 500

    private var found: Set<Diagnostic> = []
    /// How many of each kind were found, and how many of these were not kept.
    private var counts: [Diagnostic.Severity: Int] = [:]
    private var dropped: [Diagnostic.Severity: Int] = [:]

    init(_ diagnostics: [Diagnostic] = []) {
        for diagnostic in diagnostics { add(diagnostic) }
    }

    func add(_ diagnostics: [Diagnostic]) {
        for diagnostic in diagnostics { add(diagnostic) }
    }

    var hasErrors: Bool { counts[.error, default: 0] > 0 }

    func error(_ code: String, _ message: String, at location: SourceLocation, hint: @autoclosure () -> String? = nil) {
        add(.error, code, message, location, hint)
    }

    func warning(_ code: String, _ message: String, at location: SourceLocation, hint: @autoclosure () -> String? = nil)
    {
        add(.warning, code, message, location, hint)
    }

    func report(
        _ severity: Diagnostic.Severity, _ code: String, _ message: String, at location: SourceLocation,
        hint: @autoclosure () -> String? = nil
    ) {
        add(severity, code, message, location, hint)
    }

    /// A hint may cost a search, so it is made only where it is kept.
    private func add(
        _ severity: Diagnostic.Severity, _ code: String, _ message: String, _ location: SourceLocation,
        _ hint: () -> String?
    ) {
        let isKept = counts[severity, default: 0] < Self.limit
        add(Diagnostic(severity, code: code, message, at: location, hint: isKept ? hint() : nil))
    }

    /// Sorted by position; last, how many are not shown.
    var diagnostics: [Diagnostic] {
        let sorted = found.sorted()
        guard var more = sorted.last, let severity = [.error, .warning].first(where: { dropped[$0] != nil }) else {
            return sorted
        }
        more.severity = severity
        more.code = "too_many_problems"
        more.message = "\(dropped.values.reduce(0, +)) more problems are not shown"
        more.hint = nil
        return sorted + [more]
    }

    /// Errors and warnings are limited apart, so that warnings never hide an error.
    private func add(_ diagnostic: Diagnostic) {
        guard !found.contains(diagnostic) else { return }
        guard counts[diagnostic.severity, default: 0] < Self.limit else {
            dropped[diagnostic.severity, default: 0] += 1
            return
        }
        counts[diagnostic.severity, default: 0] += 1
        found.insert(diagnostic)
    }
}

/// Text of a file as a message may show it: no longer than 60 Unicode scalars, without line breaks or control characters.
func shortened(_ text: String) -> String {
    if text.utf8.count <= 60, text.utf8.allSatisfy({ (0x20..<0x7F).contains($0) }) { return text }
    var result = String.UnicodeScalarView()
    for scalar in text.unicodeScalars.prefix(60) {
        let isControl =
            scalar.properties.generalCategory == .control || scalar.value == 0x2028 || scalar.value == 0x2029
        result.append(isControl ? " " : scalar)
    }
    let isCut =
        text.unicodeScalars.index(
            text.unicodeScalars.startIndex, offsetBy: 61, limitedBy: text.unicodeScalars.endIndex) != nil
    return String(result) + (isCut ? "…" : "")
}
