/// Control traffic: the API, the gateway's and the supervisors' control sockets. Data-plane traffic never comes here.
///
/// Plain values over SwiftNIO's HTTP/1.1; nothing of NIO shows in this module's API.
package enum HTTPAddress: Sendable, Hashable {
    /// At most 107 bytes (sun_path).
    case unix(path: String)
    case tcp(host: String, port: Int)
}

/// Header fields in the order they came; names compare without case.
package struct HTTPFields: Sendable, Hashable {
    package var entries: [(name: String, value: String)]

    package init(_ entries: [(name: String, value: String)] = []) { self.entries = entries }

    /// The first value; setting replaces all.
    package subscript(name: String) -> String? {
        get { entries.first { $0.name.lowercased() == name.lowercased() }?.value }
        set {
            entries.removeAll { $0.name.lowercased() == name.lowercased() }
            if let newValue { entries.append((name, newValue)) }
        }
    }

    package static func == (a: Self, b: Self) -> Bool {
        a.entries.count == b.entries.count
            && zip(a.entries, b.entries).allSatisfy {
                $0.name.lowercased() == $1.name.lowercased() && $0.value == $1.value
            }
    }

    package func hash(into hasher: inout Hasher) {
        for entry in entries {
            hasher.combine(entry.name.lowercased())
            hasher.combine(entry.value)
        }
    }
}

/// A request with its whole body.
package struct HTTPRequest: Sendable {
    package var method: String
    /// Origin form with query, such as `/v1/environments?limit=10`.
    package var target: String
    package var fields: HTTPFields
    package var body: [UInt8]

    package init(_ method: String, _ target: String, fields: HTTPFields = HTTPFields(), body: [UInt8] = []) {
        self.method = method
        self.target = target
        self.fields = fields
        self.body = body
    }

    /// The target without its query.
    package var path: String { String(target.prefix { $0 != "?" }) }

    /// Decoded query parameters; the first of a name wins. `+` is a space.
    package var query: [String: String] { HTTPQuery.parse(target) }
}

package struct HTTPResponse: Sendable {
    package enum Body: Sendable {
        case bytes([UInt8])
        /// Sent chunk by chunk as it comes, with back-pressure; ending it ends the response. An error cuts the
        /// connection. The stream is cancelled when the client goes away.
        case stream(AsyncThrowingStream<[UInt8], any Error>)
        /// The connection becomes a WebSocket; a request that does not ask for one is answered 426.
        case webSocket(WebSocketUpgrade)
    }

    package var status: Int
    package var fields: HTTPFields
    package var body: Body
    /// Of a stream: nothing of it is unfinished when it is cut, such as one that tells what happens from now on. A server
    /// that stops cuts it at once instead of waiting for it; whoever reads it comes again.
    package var isEndless: Bool

    package init(
        status: Int, fields: HTTPFields = HTTPFields(), body: Body = .bytes([]), isEndless: Bool = false
    ) {
        self.status = status
        self.fields = fields
        self.body = body
        self.isEndless = isEndless
    }
}
