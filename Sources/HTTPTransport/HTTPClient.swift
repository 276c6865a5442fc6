import NIOCore
import NIOHTTP1
import NIOPosix

/// A response with its whole body.
package struct HTTPFullResponse: Sendable {
    package var status: Int
    package var fields: HTTPFields
    package var body: [UInt8]
}

/// A response whose body is read as it comes, with back-pressure: nothing is read that was not asked for.
/// Dropping `body`, or cancelling the task that iterates it, closes the connection; the cancelled iteration then ends, with
/// nil or `CancellationError`. One iterator at a time.
package struct HTTPStreamedResponse: Sendable {
    package var status: Int
    package var fields: HTTPFields
    package var body: AsyncThrowingStream<[UInt8], any Error>
}

/// Calls one address. A value without state of its own: every call opens a connection and closes it, so calls on many
/// threads never wait for each other and nothing has to be shut down.
package struct HTTPClient: Sendable {
    let address: HTTPAddress
    private let connectTimeout: Duration

    package init(_ address: HTTPAddress, connectTimeout: Duration = .seconds(5)) {
        self.address = address
        self.connectTimeout = connectTimeout
    }

    /// The whole response, within `timeout` from the call to the last byte. Throws `HTTPClientError`, and
    /// `CancellationError` when the calling task is cancelled, which closes the connection.
    package func send(
        _ request: HTTPRequest, timeout: Duration = .seconds(30), maxResponseBytes: Int = 64 << 20
    ) async throws -> HTTPFullResponse {
        let exchange = try open(request, timeout: timeout, timeoutEndsWithHead: false)
        let body = HTTPClientBody(exchange)
        let head = try await body.head()
        var bytes: [UInt8] = []
        let limit = HTTPClientError(code: .tooLarge, message: "the response's body is over \(maxResponseBytes) bytes")
        if request.method != "HEAD", let length = head.headers.first(name: "content-length").flatMap({ Int($0) }) {
            guard length <= maxResponseBytes else { throw limit }
            bytes.reserveCapacity(length)
        }
        while let chunk = try await body.next() {
            guard bytes.count + chunk.count <= maxResponseBytes else { throw limit }
            bytes += chunk
        }
        return HTTPFullResponse(status: Int(head.status.code), fields: HTTPFields(head.headers), body: bytes)
    }

    /// The head within `headTimeout`, then the body as it comes, for as long as it comes. Throws as `send` does; the
    /// body's iteration throws `HTTPClientError` when the connection breaks.
    package func stream(
        _ request: HTTPRequest, headTimeout: Duration = .seconds(30)
    ) async throws -> HTTPStreamedResponse {
        let exchange = try open(request, timeout: headTimeout, timeoutEndsWithHead: true)
        let body = HTTPClientBody(exchange)
        let head = try await body.head()
        return HTTPStreamedResponse(
            status: Int(head.status.code), fields: HTTPFields(head.headers),
            body: AsyncThrowingStream { try await body.next() })
    }

    private func open(
        _ request: HTTPRequest, timeout: Duration, timeoutEndsWithHead: Bool
    ) throws -> HTTPClientExchange {
        let exchange = try exchange(
            head(of: request), body: request.body, timeout: timeout, timeoutEndsWithHead: timeoutEndsWithHead)
        begin(exchange, timeout: timeout)
        return exchange
    }

    /// One that is not begun yet; the time runs already.
    func exchange(
        _ head: HTTPRequestHead, body: [UInt8], timeout: Duration, timeoutEndsWithHead: Bool
    ) throws -> HTTPClientExchange {
        try Task.checkCancellation()
        return HTTPClientExchange(
            on: MultiThreadedEventLoopGroup.singleton.next(), head: head, body: body, timeout: timeout,
            timeoutEndsWithHead: timeoutEndsWithHead)
    }

    /// - Parameter gate: stands before everything else in the pipeline.
    func begin(_ exchange: HTTPClientExchange, timeout: Duration, gate: WebSocketClientGate? = nil) {
        let deadline = NIODeadline.now() + TimeAmount(min(connectTimeout, timeout))
        let address = address
        connect(on: exchange.loop, until: deadline).whenComplete { result in
            switch result {
            case .success(let channel): exchange.start(on: channel, behind: gate)
            case .failure(let error): exchange.fail(HTTPClientError(connecting: error, to: address))
            }
        }
    }

    private func connect(on loop: any EventLoop, until deadline: NIODeadline) -> EventLoopFuture<any Channel> {
        let bootstrap = ClientBootstrap(group: loop)
            .channelOption(ChannelOptions.autoRead, value: false)
            .connectTimeout(max(deadline - .now(), .milliseconds(1)))
        switch address {
        case .tcp(let host, let port):
            // Not an address: a name, which the resolver knows or does not.
            guard let literal = try? SocketAddress(ipAddress: host, port: port) else {
                return bootstrap.connect(host: host, port: port)
            }
            return bootstrap.connect(to: literal)
        case .unix(let path):
            return bootstrap.connect(unixDomainSocketPath: path).flatMapError { error in
                // Linux says EAGAIN when the server's queue of new connections is full (unix(7)): it is alive and busy.
                guard (error as? IOError)?.errnoCode == SystemError.tryAgain, NIODeadline.now() < deadline else {
                    return loop.makeFailedFuture(error)
                }
                return loop.flatScheduleTask(in: .milliseconds(10)) { self.connect(on: loop, until: deadline) }
                    .futureResult
            }
        }
    }

    func head(of request: HTTPRequest) throws -> HTTPRequestHead {
        guard HTTPSyntax.isToken(request.method), HTTPSyntax.isTarget(request.target),
            HTTPSyntax.areFields(request.fields)
        else {
            let text =
                "the request cannot be written as HTTP/1.1: its method, target or a field has a forbidden character"
            throw HTTPClientError(code: .malformed, message: text)
        }
        var headers = HTTPHeaders()
        for field in request.fields.entries where !HTTPSyntax.ownedByTransport.contains(field.name.lowercased()) {
            headers.add(name: field.name, value: field.value)
        }
        if !headers.contains(name: "host") {
            switch address {
            case .unix: headers.add(name: "host", value: "localhost")
            case .tcp(let host, let port):
                headers.add(name: "host", value: host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)")
            }
        }
        if !request.body.isEmpty || ["POST", "PUT", "PATCH"].contains(request.method) {
            headers.add(name: "content-length", value: String(request.body.count))
        }
        headers.add(name: "connection", value: "close")
        return HTTPRequestHead(
            version: .http1_1, method: HTTPMethod(rawValue: request.method), uri: request.target, headers: headers)
    }
}

extension HTTPFields {
    init(_ headers: HTTPHeaders) { self.init(headers.map { ($0.name, $0.value) }) }
}
