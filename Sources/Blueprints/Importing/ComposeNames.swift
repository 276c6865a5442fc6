/// Names of our own for what Compose calls otherwise: DNS labels, each once.
struct ComposeNames {
    /// By the name in the Compose file, and by every other name that the service answers to there.
    private(set) var services: [String: String] = [:]
    /// The names in the Compose file.
    private(set) var known: Set<String> = []

    init() {}

    init(_ entries: [LocatedValue.Entry], notes: ImportNotes) {
        var taken: Set<String> = []
        // Who has a good name keeps it.
        for entry in entries where NameRule.problem(entry.key) == nil {
            services[entry.key] = entry.key
            taken.insert(entry.key)
        }
        for entry in entries where services[entry.key] == nil {
            let name = Self.label(entry.key, or: "service", taken: &taken)
            services[entry.key] = name
            notes.add(
                .changed, "services.\(entry.key)", "is called `\(name)`, also where others name it", at: entry.location)
        }
        for entry in entries { addAliases(of: entry) }
        known = Set(services.keys)
    }

    private mutating func addAliases(of entry: LocatedValue.Entry) {
        var aliases = ["container_name", "hostname"].compactMap { entry.value[$0]?.text }
        for network in entry.value["networks"]?.entries ?? [] {
            aliases += network.value["aliases"]?.items.compactMap(\.text) ?? []
        }
        for alias in aliases where services[alias] == nil { services[alias] = services[entry.key] }
    }

    /// A name that is allowed and not taken yet, as near to the given one as can be.
    static func label(_ text: String, or fallback: String, taken: inout Set<String>) -> String {
        let plain = plainLabel(text)
        let base = plain.isEmpty ? fallback : plain
        var name = base
        var number = 2
        while !taken.insert(name).inserted {
            let suffix = "-\(number)"
            name = trimmed(base.prefix(NameRule.maxBytes - suffix.utf8.count)) + suffix
            number += 1
        }
        return name
    }

    /// Lower case, words parted by `-`: `withUlimits` is `with-ulimits`; empty where nothing is left.
    static func plainLabel(_ text: String) -> String {
        var result = ""
        var before: UInt8 = 0
        for byte in text.utf8.prefix(512) {
            let isUpper = (0x41...0x5A).contains(byte)
            let isLower = (0x61...0x7A).contains(byte) || (0x30...0x39).contains(byte)
            if isUpper, (0x61...0x7A).contains(before) { result += "-" }
            if isUpper || isLower {
                result.unicodeScalars.append(Unicode.Scalar(isUpper ? byte | 0x20 : byte))
            } else if !result.isEmpty, !result.hasSuffix("-") {
                result += "-"
            }
            before = byte
        }
        return trimmed(result.prefix(NameRule.maxBytes))
    }

    private static func trimmed(_ text: Substring) -> String {
        var text = text
        while text.hasSuffix("-") { text = text.dropLast() }
        return String(text)
    }
}
