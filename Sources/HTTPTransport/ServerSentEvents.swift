/// The `text/event-stream` format: WHATWG HTML, section 9.2 "Server-sent events".
package enum ServerSentEvents {
    package struct Event: Sendable, Hashable {
        /// `message` when the sender named none.
        package var event: String
        /// The last id seen on the stream, which also later events without one carry.
        package var id: String?
        package var data: String

        package init(event: String = "message", id: String? = nil, data: String) {
            self.event = event
            self.id = id
            self.data = data
        }
    }

    /// A comment, which a parser skips: sent now and then so that both sides notice a dead connection.
    package static let keepAlive: [UInt8] = Array(":\n\n".utf8)

    /// One event. `data` may have several lines of any ending (they arrive as LF). Line ends and NUL cannot be part of
    /// `event` or `id` and are left out of them.
    package static func encode(event: String? = nil, id: String? = nil, data: String) -> [UInt8] {
        var text = ""
        if let event { text += "event: \(oneLine(event))\n" }
        if let id { text += "id: \(oneLine(id))\n" }
        let lines = data.unicodeScalars.reduce(into: [String.UnicodeScalarView()]) { lines, scalar in
            // A CRLF gives one line: its CR is skipped, its LF begins the next.
            if scalar == "\n" {
                lines.append(String.UnicodeScalarView())
            } else {
                lines[lines.count - 1].append(scalar)
            }
        }
        for line in lines {
            var line = line
            if line.last == "\r" { line.removeLast() }
            for part in line.split(separator: "\r", omittingEmptySubsequences: false) {
                text += "data: \(String(part))\n"
            }
        }
        return Array((text + "\n").utf8)
    }

    private static func oneLine(_ text: String) -> String {
        String(String.UnicodeScalarView(text.unicodeScalars.filter { $0 != "\n" && $0 != "\r" && $0 != "\0" }))
    }
}
