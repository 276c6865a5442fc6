/// One change of a contract that breaks a caller (error) or may (warning).
package struct ContractChange: Sendable, Hashable, Codable {
    package enum Severity: String, Sendable, Hashable, Codable {
        /// A caller that kept to the old contract can fail.
        case error
        /// Suspicious: whether it breaks depends on what a caller does.
        case warning
    }

    /// In which way the concerned value travels.
    package enum Direction: String, Sendable, Hashable, Codable {
        /// From the caller: may be accepted more widely, not more narrowly.
        case request
        /// To the caller: may be sent more narrowly, not more widely.
        case response
        case both
    }

    /// Stable, for programs: `operation_removed`, `proto_field_type_changed`, …
    package var code: String
    package var severity: Severity
    package var direction: Direction
    /// One sentence for a person.
    package var message: String
    /// Of the old document where the thing stood there: a JSON pointer from `#` for OpenAPI, with the operation by which
    /// it is reached; dotted names for proto.
    package var path: String
    /// In the new document; where the thing is gone, the nearest that is left of what held it.
    package var mine: ContractPlace?
    /// In the old document; where the thing is new, what it was added to.
    package var theirs: ContractPlace?
    /// What to do instead.
    package var wayOut: String

    init(
        rule: ContractRule, severity: Severity? = nil, path: String, message: String, mine: ContractPlace?,
        theirs: ContractPlace?
    ) {
        self.code = rule.rawValue
        self.severity = severity ?? rule.severity
        self.direction = rule.direction
        self.message = message
        self.path = path
        self.mine = mine
        self.theirs = theirs
        self.wayOut = rule.wayOut
    }

    /// `error: message [code]`, the two places and the way out, a line each.
    package var rendered: String {
        var lines = ["\(severity.rawValue): \(message) [\(code)]"]
        if let theirs { lines.append("  before: \(theirs.shown)") }
        if let mine { lines.append("  now:    \(mine.shown)") }
        lines.append("  hint:   \(wayOut)")
        return lines.joined(separator: "\n")
    }
}

extension ContractChange: Comparable {
    /// Errors first, then by path, code and message.
    package static func < (left: ContractChange, right: ContractChange) -> Bool {
        if left.severity != right.severity { return left.severity == .error }
        return (left.path, left.code, left.message) < (right.path, right.code, right.message)
    }
}
