import EnvironmentGraph
import Testing

@testable import ControlPlane
@testable import Gateway

/// What is made of the hops of one trace.
@Suite struct TraceTests {
    private static let shop = SpanPlace.Environment(id: EnvironmentID(rawValue: "env-shop"), name: "shop")

    /// - Parameters:
    ///   - call: `caller>service`.
    ///   - time: milliseconds.
    private static func span(
        _ id: UInt64, _ call: String, _ time: ClosedRange<Int64>, parent: UInt64 = 0, status: Int = 200,
        leak: CallLeak? = nil
    ) -> Span {
        let names = call.split(separator: ">").map(String.init)
        return Span(
            trace: TraceKey(high: 0, low: 7), id: id, parent: parent,
            place: SpanPlace(
                caller: names[0], service: names[1], environment: shop, context: nil, provider: shop, revision: 1,
                fault: nil),
            route: "GET /", routeIsCut: false, status: status, startedAt: time.lowerBound * 1_000_000,
            duration: (time.upperBound - time.lowerBound) * 1_000_000, firstByte: 0, requestBytes: 0, responseBytes: 0,
            carrier: .none, carriersDisagree: false, leak: leak, leakIsRefused: false, isAttributed: false,
            isSampled: true, isBroken: false, contextLost: false, ignoredContext: false, reachedProvider: true,
            attempts: 1)
    }

    private static func tree(_ spans: [Span]) -> [String] {
        TraceTree(Trace(TraceKey(high: 0, low: 7), spans)).nodes.map {
            String(repeating: " ", count: $0.depth) + "\($0.span.place.service)\($0.span.id)"
        }
    }

    @Test func hopsNestByTraceparent() {
        let spans = [
            Self.span(1, "edge>front", 0...100), Self.span(2, "front>orders", 10...40, parent: 1),
            Self.span(4, "front>payments", 50...60, parent: 1), Self.span(3, "orders>payments", 20...30, parent: 2),
        ]
        #expect(Self.tree(spans) == ["front1", " orders2", "  payments3", " payments4"])
        #expect(Self.tree(spans.reversed()) == Self.tree(spans))
    }

    @Test func whereTheParentIsUnknownTheCallersTimeDecides() {
        // `orders` has a tracer of its own: it names a span that the gateway has never seen.
        let spans = [
            Self.span(1, "edge>front", 0...100), Self.span(2, "front>orders", 10...40, parent: 999),
            Self.span(3, "orders>payments", 20...30, parent: 998), Self.span(4, "front>orders", 50...70, parent: 997),
            Self.span(5, "orders>payments", 55...60), Self.span(6, "orders>payments", 90...95),
        ]
        #expect(
            Self.tree(spans) == ["front1", " orders2", "  payments3", " orders4", "  payments5", "payments6"])
    }

    @Test func idsThatNameEachOtherMakeNoCircle() {
        let spans = [
            Self.span(1, "edge>front", 0...10, parent: 2), Self.span(2, "edge>front", 5...10, parent: 1),
            Self.span(2, "edge>front", 6...10, parent: 2),
        ]
        #expect(Self.tree(spans).count == 3)
    }

    @Test func whatIsAskedForMustHoldForTheWholeTrace() {
        let trace = Trace(
            TraceKey(high: 0, low: 7),
            [
                Self.span(2, "front>orders", 110...140, status: 503),
                Self.span(1, "edge>front", 100...300, leak: .suspected),
            ])
        #expect(trace.entry.id == 1 && trace.duration == 200_000_000 && trace.startedAt == 100_000_000)
        func wants(_ change: (inout TraceQuery) -> Void) -> Bool {
            var query = TraceQuery(environment: Self.shop.id)
            change(&query)
            return query.wants(trace)
        }
        #expect(wants { _ in })
        #expect(wants { $0.status = .init("503") } && wants { $0.status = .init("5xx") })
        #expect(
            wants { $0.status = .error } && !wants { $0.status = .init("4xx") } && !wants { $0.status = .init("500") })
        #expect(wants { $0.minDuration = 200_000_000 } && !wants { $0.minDuration = 200_000_001 })
        #expect(wants { $0.since = 100_000_000 } && !wants { $0.since = 100_000_001 })
        #expect(wants { $0.services = ["cart", "orders"] } && !wants { $0.services = ["cart"] })
        #expect(wants { $0.onlyLeaks = true })
        #expect(TraceQuery.Status("6xx") == nil && TraceQuery.Status("99") == nil && TraceQuery.Status("") == nil)
    }
}
