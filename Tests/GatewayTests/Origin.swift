import Foundation
import Synchronization

/// A service's copy in a test: a plain socket server that records every request's bytes as they came.
final class Origin: Sendable {
    typealias Script = @Sendable (RawSocket, Origin) throws -> Void

    let name: String
    let port: Int
    private let listener: Int32
    private let script: Script
    private let state = Mutex(State())

    private struct State {
        var requests: [String] = []
        var connections = 0
        var open: [RawSocket] = []
        var isStopped = false
    }

    /// - Parameter script: what is done with each connection; by default every request is answered with the origin's
    ///   name, a line, and the request itself.
    init(_ name: String, script: @escaping Script = Origin.echo) throws {
        self.name = name
        self.script = script
        let (descriptor, bound) = try Self.listen()
        listener = descriptor
        port = bound
        Thread { [self] in acceptAll() }.start()
    }

    var requests: [String] { state.withLock { $0.requests } }
    /// Those that sent anything: other programs may knock at any port.
    var connections: Int { state.withLock { $0.connections } }

    func record(_ request: String) { state.withLock { $0.requests.append(request) } }

    func stop() {
        let (open, wasStopped) = state.withLock { state in
            defer { state.isStopped = true }
            return (state.open, state.isStopped)
        }
        // Afterwards the listener's number may be somebody else's.
        guard !wasStopped else { return }
        for socket in open { socket.shutDown() }
        shutdown(listener, Int32(SHUT_RDWR))
    }

    /// Closes the connections that are open, not the listener.
    func closeConnections() {
        let open = state.withLock { state in
            defer { state.open = [] }
            return state.open
        }
        for socket in open { socket.shutDown() }
    }

    private static func listen() throws -> (Int32, Int) {
        for _ in 0..<1000 {
            let port = try freePort()
            let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
            if listenOn(descriptor, port) { return (descriptor, port) }
            close(descriptor)
        }
        throw RawSocket.Failure(description: "no port is free")
    }

    fileprivate static func listenOn(_ descriptor: Int32, _ port: Int) -> Bool {
        var address = RawSocket.loopback(port)
        return withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
            }
        } && Glibc.listen(descriptor, 128) == 0
    }

    private func acceptAll() {
        while true {
            let descriptor = accept(listener, nil, nil)
            guard descriptor >= 0 else { break }
            let socket = RawSocket(descriptor)
            let isStopped = state.withLock { state in
                state.open.append(socket)
                return state.isStopped
            }
            if isStopped { break }
            socket.onFirstBytes = { [self] in state.withLock { $0.connections += 1 } }
            Thread { [self] in
                // A connection that breaks ends its script; what the origin recorded is what tests look at.
                try? script(socket, self)
                socket.shutDown()
                state.withLock { $0.open.removeAll { $0 === socket } }
            }.start()
        }
        close(listener)
    }

    /// One request with its body, framing included.
    static func readRequest(_ socket: RawSocket) -> String? {
        guard let head = socket.receive(until: "\r\n\r\n") else { return nil }
        let lower = head.lowercased()
        if lower.contains("\r\ntransfer-encoding: chunked\r\n") {
            return readChunks(socket).map { head + $0 }
        }
        guard let line = lower.split(separator: "\r\n").first(where: { $0.hasPrefix("content-length:") }),
            let length = Int(line.dropFirst(15).drop { $0 == " " })
        else { return head }
        return head + String(decoding: socket.receive(exactly: length), as: UTF8.self)
    }

    /// A chunked body with its framing and trailers.
    private static func readChunks(_ socket: RawSocket) -> String? {
        var text = ""
        while let line = socket.receive(until: "\r\n") {
            text += line
            let size = line.prefix { $0.isHexDigit }
            guard let count = Int(size, radix: 16) else { return nil }
            guard count > 0 else { break }
            text += String(decoding: socket.receive(exactly: count + 2), as: UTF8.self)
        }
        while let line = socket.receive(until: "\r\n") {
            text += line
            if line == "\r\n" { return text }
        }
        return nil
    }

    static func echo(_ socket: RawSocket, _ origin: Origin) throws {
        while let request = readRequest(socket) {
            origin.record(request)
            let body = request.hasPrefix("HEAD ") ? "" : origin.name + "\n" + request
            try socket.send("HTTP/1.1 200 OK\r\ncontent-length: \(body.utf8.count)\r\n\r\n" + body)
        }
    }
}

private let givenPorts = Mutex<Set<Int>>([])

/// A port that is free, is given once only, and lies where the system takes none for outgoing connections: a gateway's
/// port has to be named before it is bound, and no other test may get it in between.
func freePort() throws -> Int {
    for _ in 0..<1000 {
        let port = Int.random(in: 10_000..<32_000)
        guard givenPorts.withLock({ $0.insert(port).inserted }) else { continue }
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(descriptor) }
        if Origin.listenOn(descriptor, port) { return port }
    }
    throw RawSocket.Failure(description: "no port is free")
}
