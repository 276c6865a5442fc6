/// Reads the fields of one map, reporting what has the wrong type, is out of range or is not known.
struct Fields {
    let map: LocatedValue
    /// How messages call the map: `services.api.probes.readiness`; empty for the whole file.
    let path: String
    let findings: Findings

    /// `nil`, with an error, where the value is no map.
    init?(
        _ value: LocatedValue, _ path: String, known: [String], _ findings: Findings, hint: String? = nil
    ) {
        self.map = value
        self.path = path
        self.findings = findings
        guard case .mapping(let entries) = value.content else {
            wrongType(value, path.isEmpty ? "a Blueprint" : "`\(path)`", "a map", hint: hint)
            return nil
        }
        for entry in entries where !known.contains(entry.key) {
            findings.error(
                "unknown_key", "`\(shortened(entry.key))` is not a field of \(path.isEmpty ? "a Blueprint" : path)",
                at: entry.location,
                hint: Self.otherNames[entry.key].flatMap { known.contains($0) ? "did you mean `\($0)`?" : nil }
                    ?? NearMiss.hint(entry.key, among: known))
        }
    }

    /// What Compose calls some of the fields.
    static let otherNames = [
        "environment": "env", "depends_on": "dependsOn", "healthcheck": "probes", "working_dir": "workdir",
        "entrypoint": "command", "cmd": "command", "stop_signal": "stopSignal", "target": "mountPath",
        "stop_grace_period": "stopGraceSeconds", "published": "hostPort", "env_vars": "env",
    ]

    /// Of any list.
    static let maxItems = 1000

    func has(_ key: String) -> Bool { map.entry(key) != nil }
    func value(_ key: String) -> LocatedValue? { map[key] }
    func at(_ key: String) -> SourceLocation { map.entry(key)?.value.location ?? map.location }
    func name(_ key: String) -> String { path.isEmpty ? key : "\(path).\(key)" }

    func wrongType(_ value: LocatedValue, _ what: String, _ expected: String, hint: String? = nil) {
        findings.error(
            "wrong_type", "\(what) must be \(expected), not \(value.kindName)", at: value.location, hint: hint)
    }

    func missing(_ key: String, hint: String? = nil) {
        let owner = path.isEmpty ? "the Blueprint" : "`\(path)`"
        findings.error("missing_field", "\(owner) has no `\(key)`", at: map.location, hint: hint)
    }

    /// Any scalar is text: `8080` and `true` as they are written.
    func text(_ key: String) -> String? { value(key).flatMap { text($0, name(key)) } }

    func text(_ value: LocatedValue, _ what: String, hint: String? = nil) -> String? {
        guard let text = value.text else {
            wrongType(value, "`\(what)`", "text", hint: hint)
            return nil
        }
        guard !text.utf8.contains(0) else {
            findings.error(
                "invalid_text", "`\(what)` has a zero byte, which no program can be given", at: value.location)
            return nil
        }
        return text
    }

    func nonEmptyText(_ key: String) -> String? {
        guard let text = text(key) else { return nil }
        if text.isEmpty {
            findings.error("invalid_text", "`\(name(key))` is empty", at: at(key))
            return nil
        }
        return text
    }

    func boolean(_ key: String) -> Bool? {
        guard let value = value(key) else { return nil }
        guard case .scalar(let text, .boolean) = value.content else {
            wrongType(value, "`\(name(key))`", "true or false", hint: "write `true` or `false`, without quotes")
            return nil
        }
        return text == "true"
    }

    func integer(_ key: String, in range: ClosedRange<Int>) -> Int? {
        guard let value = value(key) else { return nil }
        guard case .scalar(let text, let kind) = value.content, kind == .integer || kind == .text,
            let number = PlainScalar.integer(text)
        else {
            wrongType(value, "`\(name(key))`", "a whole number")
            return nil
        }
        return check(number, in: range, key)
    }

    func number(_ key: String, in range: ClosedRange<Double>) -> Double? {
        guard let value = value(key) else { return nil }
        guard case .scalar(let text, let kind) = value.content, kind == .integer || kind == .number,
            let number = PlainScalar.integer(text).map(Double.init) ?? Double(text)
        else {
            wrongType(value, "`\(name(key))`", "a number")
            return nil
        }
        return check(number, in: range, key)
    }

    private func check<N: Comparable>(_ number: N, in range: ClosedRange<N>, _ key: String) -> N? {
        guard range.contains(number) else {
            findings.error(
                "out_of_range", "`\(name(key))` must be from \(range.lowerBound) to \(range.upperBound)", at: at(key))
            return nil
        }
        return number
    }

    func choice<E: RawRepresentable & CaseIterable>(_ key: String, _: E.Type = E.self) -> E?
    where E.RawValue == String {
        let all = E.allCases.map(\.rawValue)
        return choice(key, all).flatMap(E.init(rawValue:))
    }

    func choice(_ key: String, _ all: [String]) -> String? {
        guard let text = text(key) else { return nil }
        if all.contains(text) { return text }
        findings.error(
            "unknown_value", "`\(name(key))` is `\(shortened(text))`; it must be \(Self.alternatives(all))",
            at: at(key),
            hint: NearMiss.hint(text, among: all))
        return nil
    }

    func list(_ key: String, hint: String? = nil) -> [LocatedValue]? {
        guard let value = value(key) else { return nil }
        guard case .sequence(let items) = value.content else {
            wrongType(value, "`\(name(key))`", "a list", hint: hint)
            return nil
        }
        guard items.count <= Self.maxItems else {
            findings.error(
                "too_many", "`\(name(key))` has \(items.count) items; at most \(Self.maxItems) are read",
                at: items[Self.maxItems].location)
            return Array(items.prefix(Self.maxItems))
        }
        return items
    }

    func texts(_ key: String, hint: String? = nil) -> [String]? {
        list(key, hint: hint)?.enumerated().compactMap { text($1, "\(name(key))[\($0)]") }
    }

    /// A program with its arguments; at least the program must be there.
    func arguments(_ key: String) -> [String]? {
        let shell = value(key)?.text.map { "write [sh, -c, \"\(shortened($0))\"], or each word as an item of a list" }
        guard let words = texts(key, hint: shell) else { return nil }
        if words.first?.isEmpty ?? true {
            findings.error("invalid_text", "`\(name(key))` names no program", at: at(key))
            return nil
        }
        return words
    }

    /// The fields of a nested map; `nil`, with an error where it is no map.
    func fields(_ key: String, known: [String], hint: String? = nil) -> Fields? {
        value(key).flatMap { Fields($0, name(key), known: known, findings, hint: hint) }
    }

    /// A map of text.
    func textMap(_ key: String, hint: String? = nil) -> [String: String]? {
        guard let value = value(key) else { return nil }
        guard case .mapping(let entries) = value.content else {
            wrongType(value, "`\(name(key))`", "a map", hint: hint)
            return nil
        }
        var result: [String: String] = [:]
        for entry in entries {
            if let text = text(entry.value, "\(name(key)).\(shortened(entry.key))") { result[entry.key] = text }
        }
        return result
    }

    static func alternatives(_ all: [String]) -> String {
        let quoted = all.map { "`\($0)`" }
        guard quoted.count > 1, let last = quoted.last else { return quoted.joined() }
        return quoted.dropLast().joined(separator: ", ") + " or " + last
    }
}
