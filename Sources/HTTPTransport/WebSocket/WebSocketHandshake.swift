import Crypto
import FoundationEssentials

/// The opening handshake: RFC 6455 section 4, version 13, without extensions.
enum WebSocketHandshake {
    /// Section 1.3.
    private static let suffix = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"

    static func newKey() -> String {
        Data((0..<16).map { _ in UInt8.random(in: .min ... .max) }).base64EncodedString()
    }

    /// What `sec-websocket-accept` must be for a key.
    static func accept(_ key: String) -> String {
        Data(Insecure.SHA1.hash(data: Array((key + suffix).utf8))).base64EncodedString()
    }

    /// The fields of a 101 to this request, or `nil` where it is no upgrade that this server can make.
    static func answer(_ request: HTTPRequest, subprotocol: String) -> [(name: String, value: String)]? {
        guard request.wantsWebSocket, request.offeredSubprotocols.contains(subprotocol),
            let key = request.fields["sec-websocket-key"], Data(base64Encoded: key)?.count == 16
        else { return nil }
        return [
            ("connection", "upgrade"), ("upgrade", "websocket"), ("sec-websocket-accept", accept(key)),
            ("sec-websocket-protocol", subprotocol),
        ]
    }

    /// The fields of a request for one (section 4.1).
    static func wish(key: String, subprotocol: String) -> [(name: String, value: String)] {
        [
            ("connection", "upgrade"), ("upgrade", "websocket"), ("sec-websocket-version", "13"),
            ("sec-websocket-key", key), ("sec-websocket-protocol", subprotocol),
        ]
    }

    /// What is wrong with a 101, `nil` where nothing is.
    static func problem(in fields: HTTPFields, key: String, subprotocol: String) -> String? {
        if fields["upgrade"]?.lowercased() != "websocket" { return "it does not upgrade to a WebSocket" }
        if fields["sec-websocket-accept"] != accept(key) { return "its sec-websocket-accept is wrong" }
        if fields["sec-websocket-protocol"] != subprotocol { return "it does not speak \(subprotocol)" }
        if fields["sec-websocket-extensions"] != nil { return "it uses an extension that nobody asked for" }
        return nil
    }

    static func list(_ value: String?) -> [String] {
        (value ?? "").split(separator: ",").map { part in
            String(part.drop { $0 == " " || $0 == "\t" }.reversed().drop { $0 == " " || $0 == "\t" }.reversed())
        }.filter { !$0.isEmpty }
    }
}

extension HTTPRequest {
    /// Whether it asks to become a WebSocket (RFC 6455 section 4.2.1).
    package var wantsWebSocket: Bool {
        method == "GET" && fields["upgrade"]?.lowercased() == "websocket"
            && WebSocketHandshake.list(fields["connection"]).contains { $0.lowercased() == "upgrade" }
            && fields["sec-websocket-version"] == "13"
    }

    /// The sub-protocols that it offers, the most wanted first.
    package var offeredSubprotocols: [String] { WebSocketHandshake.list(fields["sec-websocket-protocol"]) }
}
