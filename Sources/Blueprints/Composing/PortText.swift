/// Ports written as text: `"8080"` is the container's port, `"80:8080"` the host's and the container's, each with an
/// optional `/http`, `/http2`, `/grpc` or `/tcp`.
enum PortText {
    /// The same as a map; what cannot be read is reported and left as it is.
    static func map(_ item: LocatedValue, _ findings: Findings) -> LocatedValue {
        guard let text = item.text else { return item }
        let parts = text.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
        let numbers = parts[0].split(separator: ":", omittingEmptySubsequences: false)
        if numbers.contains(where: { $0.contains("-") }), numbers.allSatisfy({ $0.allSatisfy(isPartOfRange) }) {
            return failed(item, "`\(shortened(text))` is a range; write each port", findings)
        }
        guard (1...2).contains(numbers.count), numbers.allSatisfy(isNumber) else {
            return failed(item, "`\(shortened(text))` is not a port", findings)
        }
        var fields: [LocatedValue.Entry] = []
        func set(_ key: String, _ text: Substring, _ kind: LocatedValue.ScalarKind) {
            let value = LocatedValue(.scalar(String(text), kind), at: item.location)
            fields.append(.init(key: key, location: item.location, value: value))
        }
        set("containerPort", numbers[numbers.count - 1], .integer)
        if numbers.count == 2 { set("hostPort", numbers[0], .integer) }
        if parts.count == 2 { set("protocol", parts[1], .text) }
        return LocatedValue(.mapping(fields), at: item.location)
    }

    private static func failed(_ item: LocatedValue, _ message: String, _ findings: Findings) -> LocatedValue {
        findings.error(
            "invalid_port", message, at: item.location,
            hint: "write \"8080\", \"80:8080\" or {name: http, containerPort: 8080}")
        // Nothing stands here that a later check could complain about again.
        return LocatedValue(.mapping([]), at: item.location)
    }

    private static func isNumber(_ text: Substring) -> Bool {
        !text.isEmpty && text.count < 10 && text.utf8.allSatisfy { (0x30...0x39).contains($0) }
    }

    private static func isPartOfRange(_ character: Character) -> Bool {
        character == "-" || character.isASCII && character.isNumber
    }
}
