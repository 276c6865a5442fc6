import Foundation

/// One end of an HTTP/2 connection in a test, frame by frame, so that it can do what no library would: either a client, or
/// the service's end of a connection that a gateway opened. Header blocks are written plainly (RFC 7541 section 6.2.2).
final class HTTP2Peer: @unchecked Sendable {
    // Used by one thread, like its socket.
    struct Frame {
        var type: UInt8
        var flags: UInt8
        var stream: Int
        var payload: [UInt8]
        /// Of HEADERS, decoded.
        var fields: [(name: String, value: String)] = []

        func field(_ name: String) -> String? { fields.first { $0.name == name }?.value }
        var endsStream: Bool { type <= 1 && flags & 1 != 0 }
        /// Of RST_STREAM, or of GOAWAY behind the last stream.
        var code: Int { payload.suffix(type == 7 ? payload.count - 4 : 4).prefix(4).reduce(0) { $0 << 8 | Int($1) } }
    }

    /// Everything that came for one stream.
    struct Message {
        var heads: [[(name: String, value: String)]] = []
        var body: [UInt8] = []
        var reset: Int?
        var ended = false

        func field(_ name: String) -> String? { heads.joined().first { $0.name == name }?.value }
        var status: String? {
            heads.last { $0.contains { $0.name == ":status" } }?.first { $0.name == ":status" }?.value
        }
        var text: String { String(decoding: body, as: UTF8.self) }
    }

    static let data: UInt8 = 0, headers: UInt8 = 1, reset: UInt8 = 3, settings: UInt8 = 4, ping: UInt8 = 6
    static let goAway: UInt8 = 7, windowUpdate: UInt8 = 8, continuation: UInt8 = 9
    static let preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"

    let socket: RawSocket
    private let inflater = HeaderInflater()
    private var lastStream = -1

    /// - Parameter opensWindows: so that the other side never waits.
    init(_ socket: RawSocket, isClient: Bool = true, opensWindows: Bool = true) throws {
        self.socket = socket
        if isClient {
            try socket.send(Self.preface)
        } else {
            guard socket.receive(exactly: 24) == Array(Self.preface.utf8) else {
                throw RawSocket.Failure(description: "no preface")
            }
        }
        // SETTINGS_INITIAL_WINDOW_SIZE, and the connection's window.
        try send(Self.settings, payload: opensWindows ? [0, 4] + Self.number(1 << 24) : [])
        if opensWindows { try send(Self.windowUpdate, payload: Self.number(1 << 28)) }
    }

    static func connect(_ port: Int, opensWindows: Bool = true) throws -> HTTP2Peer {
        try HTTP2Peer(try RawSocket.connect(port), opensWindows: opensWindows)
    }

    static func number(_ value: Int) -> [UInt8] { [24, 16, 8, 0].map { UInt8((value >> $0) & 255) } }

    func send(_ type: UInt8, flags: UInt8 = 0, stream: Int = 0, payload: [UInt8] = []) throws {
        try socket.send(Self.frame(type, flags: flags, stream: stream, payload: payload))
    }

    static func frame(_ type: UInt8, flags: UInt8 = 0, stream: Int = 0, payload: [UInt8] = []) -> [UInt8] {
        Array(number(payload.count).dropFirst()) + [type, flags] + number(stream) + payload
    }

    static func block(_ fields: [(String, String)]) -> [UInt8] {
        fields.flatMap { [0] + string($0) + string($1) }
    }

    private static func string(_ text: String) -> [UInt8] {
        let bytes = Array(text.utf8)
        guard bytes.count >= 127 else { return [UInt8(bytes.count)] + bytes }
        var rest = bytes.count - 127
        var length: [UInt8] = [127]
        while rest >= 128 {
            length.append(UInt8(rest & 127 | 128))
            rest >>= 7
        }
        return length + [UInt8(rest)] + bytes
    }

    /// Begins a request; returns its stream.
    func request(
        _ path: String = "/", method: String = "GET", authority: String? = "a", _ fields: [(String, String)] = [],
        ends: Bool = true
    ) throws -> Int {
        lastStream += 2
        let pseudo = [(":method", method), (":scheme", "http"), (":path", path)]
        try send(
            Self.headers, flags: ends ? 5 : 4, stream: lastStream,
            payload: Self.block(pseudo + (authority.map { [(":authority", $0)] } ?? []) + fields))
        return lastStream
    }

    func respond(_ stream: Int, _ fields: [(String, String)], ends: Bool = false) throws {
        try send(Self.headers, flags: ends ? 5 : 4, stream: stream, payload: Self.block(fields))
    }

    func content(_ stream: Int, _ bytes: [UInt8], ends: Bool = false) throws {
        try send(Self.data, flags: ends ? 1 : 0, stream: stream, payload: bytes)
    }

    func resetStream(_ stream: Int, _ code: Int) throws {
        try send(Self.reset, stream: stream, payload: Self.number(code))
    }

    /// The next frame, with settings and pings answered; nil at the end.
    func next() throws -> Frame? {
        let head = socket.receive(exactly: 9)
        guard head.count == 9 else { return nil }
        let length = Int(head[0]) << 16 | Int(head[1]) << 8 | Int(head[2])
        let stream = head[5...8].reduce(0) { $0 << 8 | Int($1) }
        var frame = Frame(type: head[3], flags: head[4], stream: stream, payload: socket.receive(exactly: length))
        if frame.type == Self.settings, frame.flags & 1 == 0 { try send(Self.settings, flags: 1) }
        if frame.type == Self.ping, frame.flags & 1 == 0 { try send(Self.ping, flags: 1, payload: frame.payload) }
        if frame.type == Self.headers { frame.fields = inflater.fields(of: frame.payload) }
        return frame
    }

    /// Reads until all of `streams` have ended or the connection has.
    func messages(_ streams: [Int]) throws -> [Int: Message] {
        var found: [Int: Message] = [:]
        var open = Set(streams)
        while !open.isEmpty, let frame = try next() {
            guard frame.stream > 0 else { continue }
            var message = found[frame.stream] ?? Message()
            switch frame.type {
            case Self.headers: message.heads.append(frame.fields)
            case Self.data: message.body += frame.payload
            case Self.reset: message.reset = frame.code
            default: continue
            }
            if frame.endsStream { message.ended = true }
            found[frame.stream] = message
            if message.ended || message.reset != nil { open.remove(frame.stream) }
        }
        return found
    }

    func message(_ stream: Int) throws -> Message { try messages([stream])[stream] ?? Message() }

    /// The code of the GOAWAY that ends this connection; nil where it ends without.
    func farewell() throws -> Int? {
        var code: Int?
        while let frame = try next() {
            if frame.type == Self.goAway { code = frame.code }
        }
        return code
    }
}
