import EnvironmentGraph
import Foundation
import HTTPTransport
import HTTPWire
import Logging
import Synchronization
import TestSupport
import Testing

@testable import Gateway

/// Spans on their way to a collector: a real server that decodes what comes.
@Suite(.timeLimit(.minutes(5))) struct OTLPTests {
    /// As OTLP's JSON says it; nothing may be missing or of another type.
    private struct Export: Decodable, Sendable {
        struct Value: Decodable, Sendable {
            var stringValue: String?
            var intValue: String?
        }
        struct Attribute: Decodable, Sendable {
            var key: String
            var value: Value
        }
        struct Resource: Decodable, Sendable { var attributes: [Attribute] }
        struct Status: Decodable, Sendable { var code: Int? }
        struct Sent: Decodable, Sendable {
            var traceId: String
            var spanId: String
            var parentSpanId: String?
            var name: String
            var kind: Int
            var startTimeUnixNano: String
            var endTimeUnixNano: String
            var attributes: [Attribute]
            var status: Status

            func attribute(_ key: String) -> String? {
                attributes.first { $0.key == key }.flatMap { $0.value.stringValue ?? $0.value.intValue }
            }
        }
        struct Scope: Decodable, Sendable { var spans: [Sent] }
        struct Group: Decodable, Sendable {
            var resource: Resource
            var scopeSpans: [Scope]

            var service: String? { resource.attributes.first { $0.key == "service.name" }?.value.stringValue }
        }
        var resourceSpans: [Group]

        var spans: [Sent] { resourceSpans.flatMap { $0.scopeSpans.flatMap(\.spans) } }
    }

    private final class Collector: Sendable {
        struct State {
            var exports: [Export] = []
            var requests: [HTTPRequest] = []
            /// What is answered next; then 200.
            var answers: [HTTPResponse] = []
        }

        let state = Mutex(State())

        var spans: [Export.Sent] { state.withLock { $0.exports.flatMap(\.spans) } }

        func answer(_ request: HTTPRequest) -> HTTPResponse {
            state.withLock { state in
                state.requests.append(request)
                if !state.answers.isEmpty { return state.answers.removeFirst() }
                do {
                    state.exports.append(try JSONDecoder().decode(Export.self, from: Data(request.body)))
                    return HTTPResponse(status: 200, fields: HTTPFields(), body: .bytes(Array("{}".utf8)))
                } catch {
                    return HTTPResponse(status: 400, fields: HTTPFields(), body: .bytes(Array("\(error)".utf8)))
                }
            }
        }
    }

    private func with(
        _ answers: [HTTPResponse] = [],
        _ body: @escaping @Sendable (Collector, OTLPExporter, _ port: Int) async throws -> Void
    ) async throws {
        let collector = Collector()
        collector.state.withLock { $0.answers = answers }
        let server = HTTPServer(address: .tcp(host: "127.0.0.1", port: 0)) { request, _ in collector.answer(request) }
        let (bound, feed) = AsyncStream.makeStream(of: HTTPAddress.self)
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await server.run { feed.yield($0) } }
            group.addTask {
                var bound = bound.makeAsyncIterator()
                guard case .tcp(_, let port) = await bound.next() else { return }
                let target = try OTLPTarget(url: "http://127.0.0.1:\(port)/base", headers: "x-key=a%20b")
                let exporter = OTLPExporter(target, version: "1.2.3", logger: Logger(label: "test"))
                let sending = Task { await exporter.run() }
                defer { sending.cancel() }
                try await body(collector, exporter, port)
            }
            defer { group.cancelAll() }
            try await group.next()
        }
    }

    private static func answer(_ status: Int, _ body: String = "", retryAfter: Int? = nil) -> HTTPResponse {
        var fields = HTTPFields()
        if let retryAfter { fields["retry-after"] = String(retryAfter) }
        return HTTPResponse(status: status, fields: fields, body: .bytes(Array(body.utf8)))
    }

    private static func span(_ id: UInt64 = 1, status: Int = 200, sampled: Bool = true) -> Span {
        var fields = HopSpan()
        (fields.trace.high, fields.trace.low, fields.span, fields.parent) = (0x4bf9, 7, id, 2)
        (fields.status, fields.duration, fields.requestBytes, fields.attempts) = (UInt16(status), 5_000, 3, 2)
        fields.flags = sampled ? [.sampled, .reachedProvider] : [.reachedProvider]
        fields.carrier = .baggage
        let shop = SpanPlace.Environment(id: Shop.baseline, name: "shop")
        return Span(
            fields,
            place: SpanPlace(
                caller: "orders", service: "payments", environment: shop, context: nil, provider: shop, revision: 12,
                fault: nil),
            startedAt: 1_700_000_000_000_000_001, route: "POST /a\"\\\u{1}ü")
    }

    @Test func aSpanArrivesAsTheSpecificationSaysIt() async throws {
        try await with { collector, exporter, _ in
            exporter.offer([Self.span(), Self.span(9, sampled: false)])
            try await eventually("the collector has it") { collector.spans.count == 1 ? true : nil }
            let request = try #require(collector.state.withLock { $0.requests.first })
            #expect(request.method == "POST" && request.target == "/base/v1/traces")
            #expect(request.fields["content-type"] == "application/json" && request.fields["x-key"] == "a b")
            let span = try #require(collector.spans.first)
            #expect(span.traceId == "0000000000004bf90000000000000007" && span.spanId == "0000000000000001")
            #expect(span.parentSpanId == "0000000000000002" && span.kind == 2 && span.name == "POST")
            #expect(span.startTimeUnixNano == "1700000000000000001" && span.endTimeUnixNano == "1700000000000005001")
            #expect(span.attribute("url.path") == "/a\"\\\u{1}ü" && span.status.code == nil)
            #expect(span.attribute("http.response.status_code") == "200")
            #expect(span.attribute("microstax.carrier") == "baggage" && span.attribute("microstax.caller") == "orders")
            #expect(span.attribute("http.request.resend_count") == "1")
            let service = collector.state.withLock { $0.exports.first?.resourceSpans.first?.service }
            #expect(service == "payments")
            try await eventually("it is counted") {
                exporter.counts == ExportCounts(exported: 1, dropped: 0) ? true : nil
            }
        }
    }

    @Test func whatIsWorthItIsTriedAgainAndTheRestIsDropped() async throws {
        try await with([Self.answer(503, retryAfter: 0), Self.answer(429)]) { collector, exporter, _ in
            exporter.offer([Self.span(status: 503)])
            try await eventually("the collector has it") { collector.spans.count == 1 ? true : nil }
            let requests = collector.state.withLock { $0.requests.count }
            #expect(requests == 3 && collector.spans.first?.status.code == 2)
            #expect(collector.spans.first?.attribute("error.type") == "503")
            collector.state.withLock { $0.answers = [Self.answer(400)] }
            exporter.offer([Self.span(2)])
            try await eventually("the collector has it") {
                exporter.counts == ExportCounts(exported: 1, dropped: 1) ? true : nil
            }
            let partial = Self.answer(200, #"{"partialSuccess":{"rejectedSpans":"1","errorMessage":"no"}}"#)
            collector.state.withLock { $0.answers = [partial] }
            exporter.offer([Self.span(3), Self.span(4)])
            try await eventually("the collector has it") {
                exporter.counts == ExportCounts(exported: 2, dropped: 2) ? true : nil
            }
        }
    }

    @Test func withoutACollectorTheQueueIsBounded() async throws {
        let target = try OTLPTarget(url: "http://127.0.0.1:1")
        let exporter = OTLPExporter(target, version: "", logger: Logger(label: "test"))
        let some = Array(repeating: Self.span(), count: 1000)
        for _ in 0..<20 { exporter.offer(some) }
        #expect(exporter.counts == ExportCounts(exported: 0, dropped: UInt64(20_000 - OTLPExporter.maxQueued)))
        await exporter.finish()
        #expect(exporter.counts.dropped == UInt64(20_000 - OTLPExporter.maxQueued))
        exporter.direct(to: nil)
        #expect(exporter.counts.dropped == 20_000 && !exporter.isActive)
        exporter.offer(some)
        #expect(exporter.counts.dropped == 20_000)
    }

    @Test func theGatewaySendsWhatItRecords() async throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "otlp-\(UUID().uuidString)").path
        defer { try? FileManager.default.removeItem(atPath: folder) }  // a temporary folder; the system ends it, too
        let origin = try Origin("payments@shop")
        defer { origin.stop() }
        var made = Shop([origin.name: origin.port])
        let edge = try made.listen(Shop.baseline, "payments")
        let shop = made
        try await with { collector, exporter, _ in
            try await GatewayFixture.with(shop.table, spansFolder: folder, exporter: exporter) { gateway in
                for _ in 0..<3 { _ = try await gateway.get(edge) }
                try await eventually("the collector has it") { collector.spans.count == 3 ? true : nil }
                let measures = await gateway.plane.measures()
                #expect(measures.spans.recorded == 3)
            }
        }
    }

    @Test func addressesAndVariables() throws {
        func path(_ url: String) throws -> String {
            let target = try OTLPTarget(url: url)
            return "\(target.host) \(target.port) \(target.path)"
        }
        #expect(try path("http://collector") == "collector 4318 /v1/traces")
        #expect(try path("http://collector:80/") == "collector 80 /v1/traces")
        #expect(try path("http://[::1]:99/v1/traces") == "::1 99 /v1/traces")
        for bad in ["https://a", "collector:4318", "http://", "http://a:0", "http://a:x", "http://u@a", "http://a b"] {
            #expect(throws: OTLPTarget.Problem.self) { try OTLPTarget(url: bad) }
        }
        func made(_ variables: [String: String], option: String? = nil) throws -> String? {
            try OTLPTarget.make(option: option, environment: variables).map { "\($0.host)\($0.path)" }
        }
        let base = ["OTEL_EXPORTER_OTLP_ENDPOINT": "http://a"]
        #expect(try made([:]) == nil && made(base) == "a/v1/traces")
        #expect(try made(base, option: "http://b") == "b/v1/traces")
        #expect(try made(base.merging(["MICROSTAX_OTLP_ENDPOINT": "http://c/x"]) { $1 }) == "c/x/v1/traces")
        #expect(try made(base.merging(["OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://d/own"]) { $1 }) == "d/own")
        #expect(try made(base.merging(["OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"]) { $1 }) == nil)
        // Somebody else's variable is no reason not to start.
        #expect(try made(["OTEL_EXPORTER_OTLP_ENDPOINT": "https://a"]) == nil)
    }
}
