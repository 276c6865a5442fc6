import Foundation
import Logging

/// How a line of the server's log is written. One event is one line, whatever is in it.
package enum LogRendering: String, Sendable, CaseIterable {
    /// For a person: `2026-01-31T12:00:00.000Z info server: listening address=127.0.0.1:7070`.
    case text
    /// For a program: one object with `time`, `level`, `logger`, `message` and the event's own keys.
    case json

    /// More of one value is not written, in bytes.
    static let longestValue = 8 << 10
    private static let ownKeys: Set<String> = ["time", "level", "logger", "message"]

    /// - Parameter time: milliseconds since 1970.
    package func line(
        time: Int64, level: Logger.Level, logger: String, message: String, fields: [String: String]
    ) -> String {
        let fields = fields.sorted { $0.key < $1.key }.map { (key: $0.key, value: Self.clean($0.value)) }
        let message = Self.clean(message)
        switch self {
        case .text:
            return fields.reduce("\(timestamp(time)) \(level) \(logger): \(Self.oneLine(message))") {
                $0 + " \($1.key)=" + Self.quoted($1.value)
            }
        case .json:
            var pairs = [
                ("time", timestamp(time)), ("level", level.rawValue), ("logger", logger), ("message", message),
            ]
            pairs += fields.map { (Self.ownKeys.contains($0.key) ? "field_" + $0.key : $0.key, $0.value) }
            return "{" + pairs.map { "\(Self.json($0.0)):\(Self.json($0.1))" }.joined(separator: ",") + "}"
        }
    }

    // MARK: Values

    /// Without anything that opens a door: a token that strayed into an error's text shows as `msx_***`.
    static func clean(_ text: String) -> String {
        var text = text
        if text.utf8.count > longestValue {
            text = String(decoding: text.utf8.prefix(longestValue), as: UTF8.self) + "…"
        }
        let parts = text.components(separatedBy: "msx_")
        guard parts.count > 1 else { return text }
        return parts.dropFirst().reduce(parts[0]) { before, part in
            let token = part.prefix { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "_" || $0 == "-") }
            return before + "msx_" + (token.count >= 8 ? "***" + part.dropFirst(token.count) : part)
        }
    }

    private static func oneLine(_ text: String) -> String {
        text.unicodeScalars.reduce(into: "") { line, scalar in
            switch scalar {
            case "\n": line += "\\n"
            case "\r": line += "\\r"
            case _ where scalar.value < 0x20 || scalar.value == 0x7F: line += "\\u{\(String(scalar.value, radix: 16))}"
            default: line.unicodeScalars.append(scalar)
            }
        }
    }

    private static func quoted(_ text: String) -> String {
        let isPlain = !text.isEmpty && text.allSatisfy { !$0.isWhitespace && $0 != "\"" && $0 != "=" }
        return isPlain ? oneLine(text) : "\"" + oneLine(text).replacing("\"", with: "\\\"") + "\""
    }

    private static func json(_ text: String) -> String {
        text.unicodeScalars.reduce(into: "\"") { line, scalar in
            switch scalar {
            case "\"": line += "\\\""
            case "\\": line += "\\\\"
            case "\n": line += "\\n"
            case _ where scalar.value < 0x20:
                let digits = String(scalar.value, radix: 16)
                line += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            default: line.unicodeScalars.append(scalar)
            }
        } + "\""
    }
}
