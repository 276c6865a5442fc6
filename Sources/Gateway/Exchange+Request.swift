import HTTPWire

extension Exchange {
    /// Bytes from the client: heads, bodies, and whatever comes while lingering.
    func receivedRequest(_ bytes: UnsafeRawBufferPointer) -> Int {
        var position = 0
        while position < bytes.count {
            let rest = UnsafeRawBufferPointer(rebasing: bytes[position...])
            switch phase {
            case .head:
                guard headStarted || downstream.isWritable else { return position }
                guard let length = receivedHead(rest) else { return position }
                position += length
            case .connecting, .waiting: return position
            case .response, .body:
                if requestDone { return position }
                position += relayRequestBody(bytes, rest, position)
            case .lingering, .closed: return bytes.count
            }
        }
        return position
    }

    /// nil: the head is not complete. Otherwise how many bytes are done with.
    private func receivedHead(_ bytes: UnsafeRawBufferPointer) -> Int? {
        if !headStarted {
            headStarted = true
            deadline = worker.now + worker.timeouts.head
            clearRequest()
        }
        switch requestParser.parse(bytes) {
        case .more: return nil
        case .refused(let violation):
            if violation == .badVersion, isFirst, beginsHTTP2(bytes) { return becomeHTTP2(bytes) }
            refuse(violation)
            return bytes.count
        case .complete(let length):
            if passesOn(bytes) { return nil }
            begin(bytes)
            return phase == .waiting ? nil : length
        }
    }

    /// A call by a service that does not say its context, on a connection that it has kept to a gateway which has been
    /// replaced: which trace is in which context, and what the caller answers just now, only the next gateway knows. So it
    /// gets the connection's bytes from here on, this request first, and decides.
    private func passesOn(_ bytes: UnsafeRawBufferPointer) -> Bool {
        guard worker.isRetiring, !isSecure, isClient else { return false }
        refreshListener()
        guard let listener, listener.callerServing != nil else { return false }
        let settings = worker.table.environments[listener.environment].settings
        let carriers = settings.headerName.withUnsafeBytes {
            ContextCarriers(requestParser.head, bytes, headerName: $0)
        }
        guard carriers.context == nil, carriers.violation == nil else { return false }
        phase = .closed
        deadline = .max
        worker.remove(self)
        let tunnel = Tunnel(worker: worker, downstream: downstream)
        downstream.owner = tunnel
        tunnel.pass(to: listener, connector: connector)
        return true
    }

    /// Answers a head that is none.
    func refuse(_ violation: WireViolation) {
        // Nothing of it was read here where it came by HTTP/2.
        if !headStarted { clearRequest() }
        clientKeepsAlive = false
        let fault: GatewayFault = violation.isTooLarge ? .headTooLarge : .badRequest
        answer(fault, detail: violation.isTooLarge ? nil : "Malformed request: \(violation.message).")
    }

    /// The client speaks HTTP/2 without asking (RFC 9113 section 3.3): the connection is not this exchange's any more.
    private func becomeHTTP2(_ bytes: UnsafeRawBufferPointer) -> Int {
        phase = .closed
        deadline = .max
        worker.remove(self)
        return HTTP2ServerConnection(
            worker: worker, connector: connector, link: downstream, listenerPort: listenerPort,
            identity: boundIdentity, clientAddress: clientAddress, isSecure: isSecure
        ).received(bytes, from: downstream)
    }

    private func clearRequest() {
        key = CountKey(listener: -1, environment: -1, service: -1, context: -1, isProvider: false, fault: nil)
        table = worker.table
        requestDone = true
        isHeadRequest = false
        clientKeepsAlive = true
        ignoredContext = false
        upgrades = false
        isGRPC = false
        trace = nil
        span.start = 0
        wakeDeadline = nil
    }

    /// The head is complete: decides, and sends it on its way.
    private func begin(_ bytes: UnsafeRawBufferPointer) {
        let method = requestParser.method.of(bytes)
        span.begin(at: SpanClock.now(), method, requestParser.target.of(bytes))
        // What it waited belongs to it.
        if wakeDeadline != nil { span.start = waitingSince }
        table = worker.table
        isHeadRequest = equals(method, "HEAD")
        isSafe = isHeadRequest || isSafeMethod(method)
        isGRPC = isCallOfGRPC(requestParser.head, bytes)
        clientIsHTTP10 = requestParser.isHTTP10
        clientKeepsAlive = requestParser.keepsAlive
        requestDone = requestParser.framing == .none
        requestHadBody = !requestDone
        hasOddBody = requestHadBody && (isSafe || equals(method, "DELETE"))
        refreshListener()
        if listenerPort != nil, listener == nil {
            clientKeepsAlive = false
            return answer(.unknownService)
        }
        let decision = RouteDecision.make(
            table, listener, requestParser, bytes, traces: worker.traces, now: worker.now)
        key.listener = Int32(truncatingIfNeeded: decision.listener)
        key.environment = Int32(truncatingIfNeeded: decision.environment)
        key.service = Int32(truncatingIfNeeded: decision.service)
        key.context = Int32(truncatingIfNeeded: decision.context)
        key.leak = decision.leak
        ignoredContext = decision.ignoredContext
        identify(decision)
        let asks = requestParser.head.has(.msxExplain) && requestParser.head.asksToExplain(bytes)
        if asks || !worker.explains.isEmpty { explain(decision, asks: asks) }
        if decision.carriersDisagree { worker.disagreements += 1 }
        if equals(method, "CONNECT") {
            clientKeepsAlive = false
            return answer(.notSupportedYet)
        }
        // With a body, nobody could say whether what follows is of the old protocol or of the new one: the offer is left
        // out, as it may be (RFC 9110 section 7.8).
        upgrades = requestParser.head.hasUpgrade && requestParser.head.saysUpgrade && requestDone && !clientIsHTTP10
        guard case .forward(let service, let endpoint) = decision.outcome else {
            guard case .refuse(let fault) = decision.outcome else { return }
            if decision.mayWait, !worker.isDraining, listener?.callerStarts(by: table) != true {
                if let wakeDeadline, wakeDeadline <= worker.now { return answer(.starting) }
                if !wait(for: table.services[decision.service], bytes: bytes.count) { answer(.overloaded) }
                return
            }
            return answer(fault, detail: fault == .badContext ? badContextDetail(decision.carriers?.violation) : nil)
        }
        guard worker.requestsInFlight < worker.maxRequests else { return answer(.overloaded) }
        requestBody = BodyReader(requestParser.framing, contextName: decision.settings?.headerName ?? [])
        provider = service
        self.endpoint = endpoint
        // gRPC is made of HTTP/2, whatever the port was said to speak.
        if isGRPC { self.endpoint?.speaksHTTP2 = true }
        writeHead(decision, bytes)
        worker.requestsInFlight += 1
        attempts = 0
        connect(allowsReuse: !upgrades)
    }

    private func writeHead(_ decision: RouteDecision, _ bytes: UnsafeRawBufferPointer) {
        guard let carriers = decision.carriers, let settings = decision.settings else { return }
        guard let trace else { return }
        let context = decision.context >= 0 ? table.environments[decision.context].stamp : 0
        servingPlace =
            provider?.serving.enter(
                context: onward(context, settings), trace: trace,
                hop: Serving.Hop(trace: span.trace, span: span.span))
            ?? -1
        if settings.propagates, carriers.trace != nil || !requestParser.head.has(.traceparent) {
            let origin = table.environments[table.environments[decision.environment].root]
            let key = decision.context >= 0 ? table.environments[decision.context].key : 0
            worker.traces.saw(trace, root: origin.key, context: key, now: worker.now)
        }
        requestHead.clear()
        requestHead.appendRequest(
            requestParser, bytes, carriers: carriers,
            context: decision.context >= 0 ? table.environments[decision.context].context : [],
            forwarding: RequestForwarding(
                propagates: settings.propagates, headerName: settings.headerName, clientAddress: clientAddress,
                upgrades: upgrades, isSecure: isSecure),
            trace: trace, span: span.span)
    }

    /// The context that the copy's own calls are in if it does all that can be asked of it: where the context stops, that of
    /// the environment that the copy runs in.
    private func onward(_ context: UInt32, _ settings: RoutingSettings) -> UInt32 {
        guard !settings.propagates, let provider else { return context }
        let home = table.environments[provider.environment]
        return home.context.isEmpty ? 0 : home.stamp
    }

    private func badContextDetail(_ violation: ContextCarriers.Violation?) -> String {
        switch violation {
        case .emptyHeader: "The routing context's header is empty."
        case .differingHeaders: "The routing context's header comes several times with different values."
        case .forgedHeader: "A header has the name of the routing context's, with _ in the place of -."
        case .notALabel, nil: "The routing context is not a DNS label."
        }
    }

    func connect(allowsReuse: Bool) {
        guard let endpoint else { return }
        phase = .connecting
        attempts += 1
        span.attempts &+= 1
        deadline = worker.now + worker.timeouts.connect
        ticket &+= 1
        connector.connect(to: endpoint, allowsReuse: allowsReuse, ticket: ticket, for: self)
    }

    private func relayRequestBody(
        _ bytes: UnsafeRawBufferPointer, _ rest: UnsafeRawBufferPointer, _ position: Int
    ) -> Int {
        let (count, progress) = requestBody.consume(rest)
        if case .refused(let violation) = progress {
            // The copy has part of it: it must see the request break off, and never take the rest for another one.
            clientKeepsAlive = false
            if phase == .response {
                answer(.badRequest, detail: "Malformed request: \(violation.message).")
            } else {
                abort()
            }
            return rest.count
        }
        deadline = worker.now + currentTimeout
        span.requestBytes &+= UInt64(count)
        if let upstream, count > 0 {
            upstream.relay(bytes, position..<(position + count), from: downstream)
            if !upstream.isWritable { downstream.pauseReading() }
        }
        if progress == .done { requestDone = true }
        return count
    }

    var currentTimeout: Int64 { phase == .body ? worker.timeouts.stream : worker.timeouts.response }
}

extension Exchange: UpstreamUser {
    func connected(_ link: any Link, to endpoint: Endpoint, ticket: Int, isReused: Bool) {
        guard phase == .connecting, ticket == self.ticket else {
            return connector.giveBack(link, endpoint: endpoint)
        }
        upstream = link
        link.owner = self
        self.isReused = isReused
        sawResponseByte = false
        interimBytes = 0
        responseParser.reset()
        phase = .response
        deadline = worker.now + worker.timeouts.response
        link.write(requestHead.bytes)
        if isReused, isSafe { sentAt = .now }
        guard !isDelivering else { return }
        link.flush()
        if !requestDone { downstream.resumeReading() }
    }

    func connectFailed(ticket: Int, isExhausted: Bool) {
        guard phase == .connecting, ticket == self.ticket else { return }
        answer(isExhausted ? .overloaded : .connectFailed, detail: isExhausted ? nil : endpoint?.tls?.problem)
    }
}

/// RFC 9110 section 9.2.1.
private func isSafeMethod(_ method: UnsafeRawBufferPointer) -> Bool {
    equals(method, "GET") || equals(method, "OPTIONS") || equals(method, "TRACE")
}

/// The first line of the connection preface (RFC 9113 section 3.4).
private func beginsHTTP2(_ bytes: UnsafeRawBufferPointer) -> Bool {
    let line: StaticString = "PRI * HTTP/2.0\r\n"
    return bytes.count >= line.utf8CodeUnitCount
        && equals(UnsafeRawBufferPointer(rebasing: bytes[..<line.utf8CodeUnitCount]), line)
}

/// `application/grpc`, also with a format behind it; `application/grpc-web` is another protocol.
private func isCallOfGRPC(_ head: HeadFields, _ bytes: UnsafeRawBufferPointer) -> Bool {
    guard head.has(.contentType), let field = head.fields.first(where: { $0.known == .contentType }) else {
        return false
    }
    let value = field.value.of(bytes)
    let name: StaticString = "application/grpc"
    let length = name.utf8CodeUnitCount
    guard value.count >= length, equalsIgnoringCase(UnsafeRawBufferPointer(rebasing: value[..<length]), name) else {
        return false
    }
    return value.count == length || value[length] == 0x2B || value[length] == 0x3B
}
