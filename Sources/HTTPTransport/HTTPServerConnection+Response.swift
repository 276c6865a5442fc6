import NIOCore
import NIOHTTP1

/// Writing a handler's response. It runs in the request's task, and every write waits until the kernel took its bytes,
/// so a slow reader slows the handler's stream down and memory holds one chunk.
extension HTTPServerConnection {
    /// NIO's own part type may hold a file and so is not `Sendable`.
    private enum Part: Sendable {
        case head(HTTPResponseHead)
        case body(ByteBuffer)
        case end
    }

    /// How much of a body in memory is written between two checks of the reader's progress.
    private static let pieceBytes = 256 << 10

    func send(_ response: HTTPResponse) async {
        var response = response
        if !HTTPSyntax.areFields(response.fields) || !(101...599).contains(response.status) {
            response = HTTPResponse(
                status: 500, fields: HTTPFields([("content-type", "application/json")]),
                body: .bytes(HTTPSyntax.errorBody(code: "internal", message: "the response was not valid HTTP")))
        }
        do {
            switch response.body {
            case .bytes(let bytes): try await send(response, bytes)
            case .stream(let chunks): try await send(response, chunks)
            case .webSocket(let upgrade): try await send(response, upgrade)
            }
        } catch {
            // The client sees a cut connection, which is all that can be said in the middle of a response.
            channel.eventLoop.execute { self.close() }
        }
    }

    private func send(_ response: HTTPResponse, _ bytes: [UInt8]) async throws {
        let plan = try await channel.eventLoop.submit { self.plan(response, length: bytes.count) }.get()
        var rest = plan.hasBody ? bytes[...] : []
        var parts: [Part] = [.head(plan.head)]
        while rest.count > Self.pieceBytes {
            parts.append(.body(ByteBuffer(bytes: rest.prefix(Self.pieceBytes))))
            try await write(parts)
            parts = []
            rest = rest.dropFirst(Self.pieceBytes)
        }
        if !rest.isEmpty { parts.append(.body(ByteBuffer(bytes: rest))) }
        try await finish(parts)
    }

    private func send(_ response: HTTPResponse, _ chunks: AsyncThrowingStream<[UInt8], any Error>) async throws {
        let plan = try await channel.eventLoop.submit { self.plan(response, length: nil) }.get()
        guard plan.hasBody else { return try await finish([.head(plan.head)]) }
        try await write([.head(plan.head)])
        for try await chunk in chunks where !chunk.isEmpty {
            try await write([.body(ByteBuffer(bytes: chunk))])
        }
        // A cancelled stream ends like a complete one; the client must not take it for that.
        try Task.checkCancellation()
        try await finish([])
    }

    private struct Plan: Sendable {
        var head: HTTPResponseHead
        var hasBody: Bool
    }

    /// The head with its framing (RFC 9112 section 6): a length, chunks, or, for HTTP/1.0, the end of the connection.
    private func plan(_ response: HTTPResponse, length: Int?) -> Plan {
        channel.eventLoop.preconditionInEventLoop()
        var headers = HTTPHeaders()
        for field in response.fields.entries where !HTTPSyntax.ownedByTransport.contains(field.name.lowercased()) {
            headers.add(name: field.name, value: field.value)
        }
        let bodiless = response.status == 204 || response.status == 304
        let isOld = requestVersion.minor == 0
        if !bodiless {
            if let length {
                headers.add(name: "content-length", value: String(length))
            } else if isOld {
                closesAfterResponse = true
            } else if requestMethod != "HEAD" {
                headers.add(name: "transfer-encoding", value: "chunked")
            }
        }
        if length == nil, !bodiless, requestMethod != "HEAD" {
            isStreaming = true
            isEndless = response.isEndless
            if inputIsClosed || stopping && isEndless { job?.cancel() }
        }
        if response.status == 426 {
            // RFC 9110 section 15.5.22; there is nothing else that a connection here can become.
            headers.add(name: "upgrade", value: "websocket")
            headers.add(name: "connection", value: "upgrade")
        }
        if stopping || inputIsClosed { closesAfterResponse = true }
        if closesAfterResponse {
            headers.add(name: "connection", value: "close")
        } else if isOld {
            headers.add(name: "connection", value: "keep-alive")
        }
        let status = HTTPResponseStatus(statusCode: response.status)
        let head = HTTPResponseHead(version: requestVersion, status: status, headers: headers)
        return Plan(head: head, hasBody: !bodiless && requestMethod != "HEAD")
    }

    /// Returns when the kernel has taken the bytes.
    private func write(_ parts: [Part]) async throws {
        try await channel.eventLoop.flatSubmit { self.flush(parts) }.get()
    }

    /// Writes the last parts and hands the connection on: to its next request, or to its end.
    private func finish(_ parts: [Part]) async throws {
        try await channel.eventLoop.flatSubmit {
            guard self.phase == .handling else { return self.flush(parts) }
            self.isStreaming = false
            let closes = self.closesAfterResponse || self.stopping || self.inputIsClosed
            // The pipelining handler delivers the next request from within the write of `.end`.
            if closes { self.phase = .finishing } else { self.awaitNextRequest() }
            let written = self.flush(parts + [.end], ends: true)
            if closes { written.whenSuccess { self.drain(after: written) } }
            return written
        }.get()
    }

    private func flush(_ parts: [Part], ends: Bool = false) -> EventLoopFuture<Void> {
        guard let context, ends || phase == .handling, phase != .closed, let last = parts.last else {
            return channel.eventLoop.makeFailedFuture(ChannelError.ioOnClosedChannel)
        }
        stallTimer?.cancel()
        let stall = channel.eventLoop.scheduleTask(in: TimeAmount(limits.idleTimeout)) { self.close() }
        stallTimer = stall
        for part in parts.dropLast() { context.write(wrap(part), promise: nil) }
        let written = channel.eventLoop.makePromise(of: Void.self)
        context.writeAndFlush(wrap(last), promise: written)
        written.futureResult.whenComplete { _ in stall.cancel() }
        return written.futureResult
    }

    private func wrap(_ part: Part) -> NIOAny {
        switch part {
        case .head(let head): wrapOutboundOut(.head(head))
        case .body(let bytes): wrapOutboundOut(.body(.byteBuffer(bytes)))
        case .end: wrapOutboundOut(.end(nil))
        }
    }
}
