/// Names of environments, services, ports, volumes: DNS labels (RFC 1123) without `--`, which host names use to set a
/// service and an overlay apart.
enum NameRule {
    static let maxBytes = 63

    /// What is wrong with the name, in words that follow it; `nil` for a good one.
    static func problem(_ name: String) -> String? {
        // Nearly all are good, and every name of a composed Blueprint is looked at with each overlay of it.
        if isGood(name) { return nil }
        if name.isEmpty { return "is empty" }
        if name.utf8.count > maxBytes { return "is longer than \(maxBytes) bytes" }
        if name.contains(where: \.isWhitespace) { return "has a space" }
        if !name.utf8.allSatisfy({ $0 < 0x80 }) { return "has other letters than a to z" }
        if name.contains(where: \.isUppercase) { return "has capital letters" }
        if let bad = name.first(where: { !isAllowed($0) }) { return "has `\(shortened(String(bad)))`" }
        if name.hasPrefix("-") || name.hasSuffix("-") { return "begins or ends with `-`" }
        if name.contains("--") { return "has `--`, which host names use to set service and overlay apart" }
        return nil
    }

    private static func isGood(_ name: String) -> Bool {
        guard (1...maxBytes).contains(name.utf8.count) else { return false }
        // As one that ended before the name began.
        var wasHyphen = true
        for byte in name.utf8 {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"): wasHyphen = false
            case UInt8(ascii: "-") where !wasHyphen: wasHyphen = true
            default: return false
            }
        }
        return !wasHyphen
    }

    /// A good name that looks like the bad one, if there is one.
    static func suggestion(_ name: String) -> String? {
        let words = name.lowercased().split { !isAllowed($0) || $0 == "-" }
        let joined = String(words.joined(separator: "-").prefix(maxBytes))
        return joined != name && problem(joined) == nil ? joined : nil
    }

    static func check(_ name: String, _ noun: String, at location: SourceLocation, _ findings: Findings) -> Bool {
        guard let problem = problem(name) else { return true }
        let rule = "a name is up to \(maxBytes) of a-z, 0-9 and `-`"
        let isASCII = name.utf8.allSatisfy { $0 < 0x80 }
        let hint = isASCII && name.utf8.count <= maxBytes ? suggestion(name).map { "`\($0)` would do; \(rule)" } : nil
        findings.error(
            "invalid_name", "the \(noun) `\(shortened(name))` \(problem)", at: location, hint: hint ?? rule)
        return false
    }

    private static func isAllowed(_ character: Character) -> Bool {
        character == "-" || ("a"..."z").contains(character) || ("0"..."9").contains(character)
    }
}
