extension ServerSentEvents {
    /// Takes a stream's bytes in pieces cut anywhere and gives the events that they complete.
    ///
    /// Bounded: a line, or the data of one event, over `maxEventBytes` is thrown away whole and counted in `oversized`.
    /// `retry` fields and comments are skipped. An event that the stream's end cuts off is not given, as the
    /// specification says.
    package struct Parser: Sendable {
        /// Events that were over the limit so far.
        package private(set) var oversized = 0
        /// To be sent as `last-event-id` when connecting again.
        package private(set) var lastEventID: String?

        private let maxEventBytes: Int
        private var line: [UInt8] = []
        private var afterCarriageReturn = false
        private var atStart = true
        private var event = ""
        private var data: [UInt8] = []
        private var hasData = false
        private var isOversized = false

        package init(maxEventBytes: Int = 1 << 20) { self.maxEventBytes = maxEventBytes }

        package mutating func feed(_ bytes: [UInt8]) -> [Event] {
            var events: [Event] = []
            for byte in bytes {
                let endedWithReturn = afterCarriageReturn
                afterCarriageReturn = byte == UInt8(ascii: "\r")
                switch byte {
                case UInt8(ascii: "\n") where endedWithReturn: break
                case UInt8(ascii: "\n"), UInt8(ascii: "\r"): endLine(&events)
                default:
                    if line.count < maxEventBytes { line.append(byte) } else { isOversized = true }
                }
            }
            return events
        }

        private mutating func endLine(_ events: inout [Event]) {
            defer { line.removeAll(keepingCapacity: true) }
            if atStart, line.starts(with: [0xEF, 0xBB, 0xBF]) { line.removeFirst(3) }
            atStart = false
            guard !line.isEmpty else { return dispatch(&events) }
            guard let colon = line.firstIndex(of: UInt8(ascii: ":")) else { return take(line[...], []) }
            var value = line[(colon + 1)...]
            if value.first == UInt8(ascii: " ") { value = value.dropFirst() }
            take(line[..<colon], value)
        }

        private mutating func take(_ name: ArraySlice<UInt8>, _ value: ArraySlice<UInt8>) {
            switch String(decoding: name, as: UTF8.self) {
            case "event": event = String(decoding: value, as: UTF8.self)
            case "id": if !value.contains(0) { lastEventID = String(decoding: value, as: UTF8.self) }
            case "data":
                guard data.count + value.count < maxEventBytes else {
                    isOversized = true
                    return
                }
                if hasData { data.append(UInt8(ascii: "\n")) }
                hasData = true
                data += value
            default: break
            }
        }

        private mutating func dispatch(_ events: inout [Event]) {
            defer {
                event = ""
                data.removeAll(keepingCapacity: data.capacity <= 64 << 10)
                hasData = false
                isOversized = false
            }
            if isOversized {
                oversized += 1
            } else if hasData {
                let text = String(decoding: data, as: UTF8.self)
                events.append(Event(event: event.isEmpty ? "message" : event, id: lastEventID, data: text))
            }
        }
    }
}
