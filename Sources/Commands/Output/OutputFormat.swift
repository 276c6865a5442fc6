import ArgumentParser
import FoundationEssentials
import Yams

/// `-o`: how results are written. JSON and YAML are the `data` of the API's reply, keys sorted.
package enum OutputFormat: String, Sendable, CaseIterable, ExpressibleByArgument {
    case table, json, yaml

    /// - Parameter table: asked only where it is wanted; with its last end of line.
    package func written(_ value: some Encodable, table: () -> String) throws -> String {
        switch self {
        case .table:
            return table()
        case .json:
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
            return Self.compacted(String(decoding: try encoder.encode(value), as: UTF8.self)) + "\n"
        case .yaml:
            let encoder = YAMLEncoder()
            encoder.options.sortKeys = true
            encoder.options.allowUnicode = true
            encoder.options.width = -1
            return try encoder.encode(value)
        }
    }

    /// The encoder spreads what is empty over three lines; a line end within JSON text is never part of a string.
    private static func compacted(_ json: String) -> String {
        var lines: [Substring] = []
        var isAfterBlank = false
        for line in json.split(separator: "\n", omittingEmptySubsequences: false) {
            let content = line.drop { $0 == " " }
            if content.isEmpty {
                isAfterBlank = true
            } else if isAfterBlank, let last = lines.popLast() {
                lines.append(last + content)
                isAfterBlank = false
            } else {
                lines.append(line)
            }
        }
        return lines.joined(separator: "\n")
    }

    /// One line of JSON for each of many things that come one by one.
    package static func line(_ value: some Encodable) throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return String(decoding: try encoder.encode(value), as: UTF8.self) + "\n"
    }
}
