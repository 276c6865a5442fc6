import EnvironmentGraph
import HTTPWire

extension Span {
    /// - Parameter fields: as they stand in a file or come from a loop; the rest is in its flags.
    init(_ fields: HopSpan, place: SpanPlace, startedAt: Int64, route: String) {
        let flags = fields.flags
        self.init(
            trace: TraceKey(high: fields.trace.high, low: fields.trace.low), id: fields.span, parent: fields.parent,
            place: place, route: route, routeIsCut: flags.contains(.routeIsCut), status: Int(fields.status),
            startedAt: startedAt, duration: Int64(clamping: fields.duration),
            firstByte: Int64(clamping: fields.firstByte), requestBytes: fields.requestBytes,
            responseBytes: fields.responseBytes, carrier: fields.carrier,
            carriersDisagree: flags.contains(.disagrees),
            leak: flags.contains(.restored) ? .restored : flags.contains(.suspected) ? .suspected : nil,
            leakIsRefused: flags.contains(.refused), isAttributed: flags.contains(.attributed),
            isSampled: flags.contains(.sampled), isBroken: flags.contains(.broken),
            contextLost: flags.contains(.contextLost), ignoredContext: flags.contains(.ignoredContext),
            reachedProvider: flags.contains(.reachedProvider), attempts: Int(fields.attempts))
    }
}

extension SpanBatch {
    /// With names instead of positions: dear, and only for who sends them on.
    var named: [Span] {
        var places: [PlaceKey: SpanPlace] = [:]
        return spans.map { span in
            let key = PlaceKey(span)
            let place = places[key] ?? SpanPlace(key, tables[Int(span.table)])
            places[key] = place
            return Span(
                span, place: place, startedAt: Int64(span.start) + wallOffset,
                route: span.withRoute { String(decoding: $0, as: UTF8.self) })
        }
    }
}
