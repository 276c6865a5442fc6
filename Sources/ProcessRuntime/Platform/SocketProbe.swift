import Foundation
import Glibc

/// The `tcp` and `http` probes: plain blocking sockets with a deadline, on threads of their own, so that a service that
/// accepts and says nothing holds up nobody.
enum SocketProbe {
    /// Of an answer; what follows is not read.
    private static let maximumAnswer = 8192

    static func tcp(_ port: Int, timeout: Double) async -> ProbeOutcome {
        await onThread {
            let deadline = Deadline(seconds: timeout)
            switch connect(port, deadline) {
            case .success(let descriptor):
                close(descriptor)
                return .passed
            case .failure(let reason): return .failed("tcp port \(port): \(reason.text)")
            }
        }
    }

    static func http(_ path: String, port: Int, timeout: Double) async -> ProbeOutcome {
        await onThread {
            let deadline = Deadline(seconds: timeout)
            let name = "GET \(path) on port \(port)"
            switch connect(port, deadline) {
            case .failure(let reason): return .failed("\(name): \(reason.text)")
            case .success(let descriptor):
                defer { close(descriptor) }
                return exchange(descriptor, path: path, port: port, name: name, deadline)
            }
        }
    }

    private struct Reason: Error { let text: String }

    private struct Deadline {
        private let end: ContinuousClock.Instant
        init(seconds: Double) { end = .now + .milliseconds(max(Milliseconds.of(seconds: seconds), 1)) }
        var milliseconds: Int32 {
            let left = ContinuousClock.now.duration(to: end).components
            return Int32(max(0, left.seconds * 1000 + left.attoseconds / 1_000_000_000_000_000))
        }
    }

    private static func onThread(_ body: @escaping @Sendable () -> ProbeOutcome) async -> ProbeOutcome {
        await withCheckedContinuation { continuation in
            DispatchQueue.global().async { continuation.resume(returning: body()) }
        }
    }

    private static func connect(_ port: Int, _ deadline: Deadline) -> Result<Int32, Reason> {
        let flags = Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue) | Int32(SOCK_NONBLOCK.rawValue)
        let descriptor = socket(AF_INET, flags, 0)
        guard descriptor >= 0 else { return .failure(Reason(text: String(cString: strerror(errno)))) }
        var address = LoopbackAddress.of(port)
        let result = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                Glibc.connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        var code = result == 0 ? 0 : errno
        if code == EINPROGRESS {
            guard wait(descriptor, Int16(POLLOUT), deadline) else {
                close(descriptor)
                return .failure(Reason(text: "no connection within the probe's timeout"))
            }
            var size = socklen_t(MemoryLayout<Int32>.size)
            getsockopt(descriptor, SOL_SOCKET, SO_ERROR, &code, &size)
        }
        guard code != 0 else { return .success(descriptor) }
        close(descriptor)
        return .failure(Reason(text: code == ECONNREFUSED ? "connection refused" : String(cString: strerror(code))))
    }

    private static func wait(_ descriptor: Int32, _ events: Int16, _ deadline: Deadline) -> Bool {
        var item = pollfd(fd: descriptor, events: events, revents: 0)
        while true {
            let count = poll(&item, 1, deadline.milliseconds)
            if count < 0, errno == EINTR { continue }
            return count > 0
        }
    }

    private static func exchange(
        _ descriptor: Int32, path: String, port: Int, name: String, _ deadline: Deadline
    ) -> ProbeOutcome {
        let request =
            "GET \(path) HTTP/1.1\r\nhost: 127.0.0.1:\(port)\r\nuser-agent: microstax-probe\r\n"
            + "accept: */*\r\nconnection: close\r\n\r\n"
        guard send(descriptor, request, request.utf8.count, Int32(MSG_NOSIGNAL)) == request.utf8.count else {
            return .failed("\(name): \(String(cString: strerror(errno)))")
        }
        var answer: [UInt8] = []
        var block = [UInt8](repeating: 0, count: maximumAnswer)
        while answer.count < maximumAnswer {
            guard wait(descriptor, Int16(POLLIN), deadline) else {
                if let status = status(of: answer), isPass(status) { return .passed }
                return .failed("\(name) gave no answer within the probe's timeout")
            }
            let count = recv(descriptor, &block, block.count, 0)
            guard count > 0 else { break }
            answer.append(contentsOf: block[..<count])
            if let status = status(of: answer), isPass(status) { return .passed }
        }
        guard let status = status(of: answer) else { return .failed("\(name): the answer is no HTTP") }
        return isPass(status) ? .passed : .failed("\(name) answered \(status)\(body(of: answer))")
    }

    private static func isPass(_ status: Int) -> Bool { (200...399).contains(status) }

    private static func status(of answer: [UInt8]) -> Int? {
        let line = answer.prefix { $0 != UInt8(ascii: "\r") && $0 != UInt8(ascii: "\n") }
        guard line.count < answer.count else { return nil }
        let words = String(decoding: line, as: UTF8.self).split(separator: " ")
        guard words.count >= 2, words[0].hasPrefix("HTTP/1.") else { return nil }
        return Int(words[1])
    }

    /// The beginning of the body, on one line.
    private static func body(of answer: [UInt8]) -> String {
        let text = String(decoding: answer, as: UTF8.self)
        guard let end = text.range(of: "\r\n\r\n") else { return "" }
        let body = text[end.upperBound...].split(whereSeparator: \.isWhitespace).joined(separator: " ")
        return body.isEmpty ? "" : ": \(body.prefix(200))"
    }
}
