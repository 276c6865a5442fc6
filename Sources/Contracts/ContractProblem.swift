/// Something that is wrong with one contract.
package struct ContractProblem: Sendable, Hashable, Codable {
    package enum Severity: String, Sendable, Hashable, Codable {
        case error, warning
    }

    package var severity: Severity
    /// Stable, for programs: `yaml_syntax`, `unknown_reference`, …
    package var code: String
    package var message: String
    package var place: ContractPlace

    /// `file:line:column: error: message [code]`.
    package var rendered: String { "\(place.shown): \(severity.rawValue): \(message) [\(code)]" }
}

/// Gathers problems, up to a limit.
struct Problems {
    private let file: String
    private var all: [ContractProblem] = []

    init(file: String) { self.file = file }

    mutating func error(_ code: String, _ message: String, at spot: Spot = .start) { add(.error, code, message, spot) }

    mutating func warning(_ code: String, _ message: String, at spot: Spot = .start) {
        add(.warning, code, message, spot)
    }

    private mutating func add(_ severity: ContractProblem.Severity, _ code: String, _ message: String, _ spot: Spot) {
        guard all.count < ContractLimits.problems else { return }
        all.append(.init(severity: severity, code: code, message: message, place: spot.place(in: file)))
    }

    var sorted: [ContractProblem] {
        all.enumerated().sorted { left, right in
            let a = left.element.place
            let b = right.element.place
            return (a.line, a.column, left.offset) < (b.line, b.column, right.offset)
        }.map(\.element)
    }
}

/// For messages: a name out of a file, cut where it is long.
func shortened(_ text: String) -> String { text.count > 80 ? text.prefix(80) + "…" : text }
