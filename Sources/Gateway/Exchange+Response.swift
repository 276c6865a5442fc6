import HTTPWire

extension Exchange {
    /// Bytes from the copy.
    func receivedResponse(_ bytes: UnsafeRawBufferPointer, from link: any Link) -> Int {
        var position = 0
        sawResponseByte = true
        defer { headCameNow = false }
        deadline = worker.now + currentTimeout
        // Once the response has ended, what follows on this link belongs to no request.
        while position < bytes.count, upstream === link {
            let rest = UnsafeRawBufferPointer(rebasing: bytes[position...])
            switch phase {
            case .response:
                switch responseParser.parse(rest) {
                case .more: return position
                case .refused(let violation):
                    answer(.upstreamReset, detail: "The service's answer is malformed: \(violation.message).")
                    return bytes.count
                case .complete(let length):
                    position += length
                    if responseParser.isInterim { interimBytes += length }
                    if responseParser.status == 101, upgrades {
                        switchProtocols(rest)
                        return position
                    }
                    receivedResponseHead(rest, hasMore: position < bytes.count)
                }
            case .body:
                position += relayResponseBody(bytes, rest, position)
            default: return bytes.count
            }
        }
        return upstream === link ? position : bytes.count
    }

    private func receivedResponseHead(_ bytes: UnsafeRawBufferPointer, hasMore: Bool) {
        if responseParser.isInterim {
            guard responseParser.status != 101 else {
                return answer(.upstreamReset, detail: "The service switched protocols without being asked.")
            }
            guard interimBytes <= HTTPWire.maxHeadBytes else {
                return answer(.upstreamReset, detail: "The service sends interim answers without end.")
            }
            if !clientIsHTTP10 {
                worker.scratch.clear()
                worker.scratch.appendInterim(responseParser, bytes)
                downstream.write(worker.scratch.bytes)
            }
            return responseParser.reset()
        }
        noteHead()
        let framing = responseParser.framing(toHead: isHeadRequest)
        responseBody = BodyReader(framing)
        unchunking = clientIsHTTP10 && framing == .chunked ? ChunkedReader() : nil
        // An answer before the request has ended is the last one: what is left of the request cannot be told from the next.
        if framing == .untilClose || unchunking != nil || worker.endsConnections || !requestDone {
            clientKeepsAlive = false
        }
        worker.scratch.clear()
        worker.scratch.appendResponse(
            responseParser, bytes, ownLines: ownLines,
            warning: ignoredContext ? "unknown_environment" : notesLostContext() ? "context_lost" : nil,
            forwarding: ResponseForwarding(
                connection: clientKeepsAlive ? (clientIsHTTP10 ? .keepAlive : .standard) : .close,
                isChunked: responseParser.head.isChunked && !clientIsHTTP10 && responseParser.status != 204))
        downstream.write(worker.scratch.bytes)
        // A head that cannot be sent on ends everything.
        guard phase == .response else { return }
        phase = .body
        deadline = worker.now + worker.timeouts.stream
        // A 204 that announces a body may be followed by it.
        let mayGoOn = responseParser.status == 204 && responseParser.head.announcesBody
        if framing == .none { finishResponse(canReuse: !hasMore && !mayGoOn) }
    }

    /// Who answers, and where it went on the way where the client wants to know that.
    private var ownLines: [UInt8] {
        let line = provider?.providerLine ?? []
        return explained == nil && !explainsNot ? line : line + routeLine
    }

    /// Whether the answer goes outside, and a call on its way has dropped the context.
    private func notesLostContext() -> Bool {
        guard listener?.isEdge ?? true, let trace, worker.traces.isBroken(trace, now: worker.now) else { return false }
        span.flags.insert(.contextLost)
        return true
    }

    /// From here on, bytes go both ways until a side ends: the decision of the request holds for all of them.
    private func switchProtocols(_ bytes: UnsafeRawBufferPointer) {
        guard let link = upstream, responseParser.head.hasUpgrade else {
            return answer(.upstreamReset, detail: "The service switched protocols and does not say to which.")
        }
        noteHead()
        worker.scratch.clear()
        worker.scratch.appendSwitching(responseParser, bytes, ownLines: ownLines)
        downstream.write(worker.scratch.bytes)
        leaveFlight()
        // It is being answered for as long as it is open.
        let (serving, place) = (provider?.serving, servingPlace)
        servingPlace = -1
        settle(nil, reachedProvider: true)
        upstream = nil
        phase = .closed
        deadline = .max
        worker.remove(self)
        let tunnel = Tunnel(worker: worker, downstream: downstream) { if place >= 0 { serving?.leave(place) } }
        tunnel.adopt(link, key: key, table: table, clientEnded: inputEnded)
    }

    private func relayResponseBody(
        _ bytes: UnsafeRawBufferPointer, _ rest: UnsafeRawBufferPointer, _ position: Int
    ) -> Int {
        guard let upstream else { return rest.count }
        if unchunking != nil { return relayUnchunked(bytes, rest, position, from: upstream) }
        let (count, progress) = responseBody.consume(rest)
        if case .refused = progress {
            abort()
            return rest.count
        }
        span.responseBytes &+= UInt64(count)
        if count > 0 {
            downstream.relay(bytes, position..<(position + count), from: upstream)
            if !downstream.isWritable { upstream.pauseReading() }
        }
        if progress == .done {
            finishResponse(canReuse: count == rest.count)
            return rest.count
        }
        return count
    }

    private func relayUnchunked(
        _ bytes: UnsafeRawBufferPointer, _ rest: UnsafeRawBufferPointer, _ position: Int, from upstream: any Link
    ) -> Int {
        var index = 0
        while true {
            switch unchunking?.next(rest, &index) {
            case .content(let range):
                span.responseBytes &+= UInt64(range.end - range.start)
                downstream.relay(bytes, (position + Int(range.start))..<(position + Int(range.end)), from: upstream)
                if !downstream.isWritable { upstream.pauseReading() }
            case .trailer: continue
            case .more: return index
            case .done:
                finishResponse(canReuse: index == rest.count)
                return rest.count
            case .refused, nil:
                abort()
                return rest.count
            }
        }
    }

    /// The response is complete. The copy's connection is kept only if both messages ended where they should.
    private func finishResponse(canReuse: Bool) {
        if let link = upstream {
            upstream = nil
            link.owner = nil
            if canReuse, requestDone, !hasOddBody, responseParser.keepsAlive, !responseBody.endsWithConnection,
                let endpoint
            {
                // Nothing of the request may be left behind in the link's buffer.
                link.flush()
                connector.giveBack(link, endpoint: endpoint)
            } else {
                link.abort(reset: false)
            }
        }
        leaveFlight()
        settle(nil, reachedProvider: true)
        downstream.flush()
        if clientKeepsAlive, requestDone {
            awaitNextRequest()
        } else {
            linger()
        }
    }

    func upstreamClosed(cleanly: Bool, trouble: LinkTrouble) {
        switch phase {
        case .response where trouble == .refusedUnseen && !requestHadBody && attempts < 3: connect(allowsReuse: true)
        case .response where trouble == .notHTTP2:
            answer(.upstreamReset, detail: "The service's copy closed the connection before it spoke HTTP/2.")
        case .response where trouble == .reset: answer(.upstreamReset)
        case .response:
            // Nothing of the answer came on a connection that had been waiting, at once: it was closed before it saw the
            // request. A service that takes its time and then breaks off has seen it.
            if isReused, !sawResponseByte, isSafe, !requestHadBody, attempts < 3, .now - sentAt <= Self.staleWithin {
                connect(allowsReuse: false)
            } else {
                answer(.upstreamReset)
            }
        case .body where cleanly && responseBody.endsWithConnection: finishResponse(canReuse: false)
        case .body: abort()
        default: break
        }
    }
}
