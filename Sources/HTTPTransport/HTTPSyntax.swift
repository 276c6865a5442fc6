/// What may stand in a head that this module writes (RFC 9110 section 5), and the errors it answers by itself.
enum HTTPSyntax {
    /// Fields that describe one connection or the framing; this module sets them itself.
    static let ownedByTransport: Set<String> = [
        "connection", "content-length", "keep-alive", "proxy-connection", "te", "trailer", "transfer-encoding",
        "upgrade",
    ]

    static func isToken(_ text: String) -> Bool {
        !text.isEmpty
            && text.utf8.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                    UInt8(ascii: "0")...UInt8(ascii: "9"):
                    true
                default: "!#$%&'*+-.^_`|~".utf8.contains(byte)
                }
            }
    }

    /// No control characters but the tab, so that a value cannot begin another line.
    static func isFieldValue(_ text: String) -> Bool {
        text.utf8.allSatisfy { $0 == 9 || ($0 >= 32 && $0 != 127) }
    }

    /// Origin form: a slash, then no blanks, controls or bytes outside ASCII.
    static func isTarget(_ text: String) -> Bool {
        text.utf8.first == UInt8(ascii: "/") && text.utf8.allSatisfy { $0 > 32 && $0 < 127 }
    }

    static func areFields(_ fields: HTTPFields) -> Bool {
        fields.entries.allSatisfy { isToken($0.name) && isFieldValue($0.value) }
    }

    /// `{"error":{"code","message"},"meta":{}}`, the API's envelope.
    static func errorBody(code: String, message: String) -> [UInt8] {
        Array("{\"error\":{\"code\":\(jsonString(code)),\"message\":\(jsonString(message))},\"meta\":{}}".utf8)
    }

    private static func jsonString(_ text: String) -> String {
        var result = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": result += "\\\""
            case "\\": result += "\\\\"
            case _ where scalar.value < 32:
                let hex = String(scalar.value, radix: 16)
                result += "\\u" + String(repeating: "0", count: 4 - hex.count) + hex
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result + "\""
    }
}
