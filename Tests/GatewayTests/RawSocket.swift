import Foundation

/// A plain blocking TCP socket that gives up after ten seconds, so that no test hangs.
final class RawSocket: @unchecked Sendable {
    // One thread at a time uses a socket; only `shutDown` comes from others, and that is what it is for.
    struct Failure: Error, CustomStringConvertible {
        let description: String
    }

    private let descriptor: Int32
    /// Read and not yet taken.
    private var buffer: [UInt8] = []
    var onFirstBytes: (() -> Void)?
    /// Closing breaks the connection, so its end must not be sent before.
    private var resets = false

    init(_ descriptor: Int32) {
        self.descriptor = descriptor
        var limit = timeval(tv_sec: 10, tv_usec: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
        setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
    }

    deinit { close(descriptor) }

    static func connect(_ port: Int) throws -> RawSocket {
        let socket = RawSocket(Glibc.socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0))
        var address = loopback(port)
        let result = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                Glibc.connect(socket.descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard result == 0 else { throw Failure(description: "connect \(port): errno \(errno)") }
        return socket
    }

    static func loopback(_ port: Int) -> sockaddr_in {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = in_port_t(UInt16(port)).bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        return address
    }

    /// Whether the kernel takes bytes within so many milliseconds.
    func canSend(within milliseconds: Int32) -> Bool {
        var poller = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
        return poll(&poller, 1, milliseconds) > 0 && poller.revents & Int16(POLLOUT) != 0
    }

    /// As many as the kernel takes at once.
    func sendSome(_ bytes: [UInt8]) -> Int {
        max(0, Glibc.send(descriptor, bytes, bytes.count, Int32(MSG_NOSIGNAL) | Int32(MSG_DONTWAIT)))
    }

    /// Reads to the end. True where the connection broke instead of ending.
    func waitForReset() -> Bool {
        var byte: UInt8 = 0
        while true {
            let count = Glibc.recv(descriptor, &byte, 1, 0)
            if count < 0 { return errno == ECONNRESET }
            if count == 0 { return false }
        }
    }

    func send(_ text: String) throws { try send(Array(text.utf8)) }

    func send(_ bytes: [UInt8]) throws {
        var done = 0
        while done < bytes.count {
            let count = bytes.withUnsafeBytes {
                Glibc.send(descriptor, $0.baseAddress.map { $0 + done }, bytes.count - done, Int32(MSG_NOSIGNAL))
            }
            guard count > 0 else { throw Failure(description: "send: errno \(errno)") }
            done += count
        }
    }

    /// What comes next; empty at the end of the stream or after a reset.
    func receive(_ most: Int = 65536) -> [UInt8] {
        if !buffer.isEmpty {
            let taken = Array(buffer.prefix(most))
            buffer.removeFirst(taken.count)
            return taken
        }
        var chunk = [UInt8](repeating: 0, count: most)
        let count = recv(descriptor, &chunk, most, 0)
        if count > 0 {
            onFirstBytes?()
            onFirstBytes = nil
        }
        return count > 0 ? Array(chunk.prefix(count)) : []
    }

    /// Up to and with `mark`; nil if the stream ends before.
    func receive(until mark: String) -> String? {
        let mark = Array(mark.utf8)
        var seen: [UInt8] = []
        while true {
            let chunk = receive()
            guard !chunk.isEmpty else { return nil }
            let from = max(0, seen.count - mark.count)
            seen += chunk
            if let end = seen.firstRange(of: mark, from: from) {
                buffer = Array(seen[end...]) + buffer
                return String(decoding: seen[..<end], as: UTF8.self)
            }
        }
    }

    /// Exactly so many bytes, or fewer at the end of the stream.
    func receive(exactly count: Int) -> [UInt8] {
        var seen: [UInt8] = []
        while seen.count < count {
            let chunk = receive(count - seen.count)
            if chunk.isEmpty { break }
            seen += chunk
        }
        return seen
    }

    func receiveAll() -> String {
        var seen: [UInt8] = []
        while true {
            let chunk = receive()
            if chunk.isEmpty { return String(decoding: seen, as: UTF8.self) }
            seen += chunk
        }
    }

    func endOutput() { shutdown(descriptor, Int32(SHUT_WR)) }

    /// Ends both ways; safe from any thread.
    func shutDown() {
        if !resets { shutdown(descriptor, Int32(SHUT_RDWR)) }
    }

    /// Makes the coming close a reset.
    func resetOnClose() {
        resets = true
        var option = linger(l_onoff: 1, l_linger: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &option, socklen_t(MemoryLayout<linger>.size))
    }
}

extension [UInt8] {
    /// End of the first occurrence of `mark` at or after `from`.
    func firstRange(of mark: [UInt8], from: Int) -> Int? {
        guard count >= mark.count else { return nil }
        for start in from...(count - mark.count) where self[start] == mark[0] {
            if self[start..<(start + mark.count)].elementsEqual(mark) { return start + mark.count }
        }
        return nil
    }
}

/// Runs blocking work on a thread of its own, so that the pool's few threads stay free.
func onThread<T: Sendable>(_ body: @escaping @Sendable () throws -> T) async throws -> T {
    try await withCheckedThrowingContinuation { continuation in
        Thread { continuation.resume(with: Result(catching: body)) }.start()
    }
}
