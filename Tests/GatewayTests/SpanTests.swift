import Blueprints
import Dispatch
import EnvironmentGraph
import Foundation
import HTTPWire
import Synchronization
import TestSupport
import Testing

@testable import Gateway

/// What the gateway keeps of each request, and the files that it keeps it in.
@Suite(.timeLimit(.minutes(5))) struct SpanTests {
    private static let trace = "4bf92f3577b34da6a3ce929d0e0e4736"
    private static let parent = "traceparent: 00-\(trace)-00f067aa0ba902b7-01"

    private func withFolder(_ body: (String) async throws -> Void) async throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "spans-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }  // a temporary folder; the system ends it, too
        try await body(folder)
    }

    private static func spans(in folder: String) -> [Span] {
        var found: [Span] = []
        SpanFolder(gatewayFolder: folder).read { page in
            page.forEach(where: { _, _ in true }) { found.append($0) }
            return true
        }
        return found
    }

    @Test func aHopIsKeptWithAllThatIsSaidOfIt() async throws {
        try await withFolder { folder in
            let origins = try ["payments@shop", "payments@refunds-env"].map { try Origin($0) }
            defer { for origin in origins { origin.stop() } }
            var shop = Shop(Dictionary(uniqueKeysWithValues: origins.map { ($0.name, $0.port) }))
            let edge = try shop.listen(Shop.baseline, "payments")
            let own = try shop.listen(Shop.baseline, "payments", caller: .service("orders"))
            try await GatewayFixture.with(shop.table, spansFolder: folder + "/spans") { gateway in
                let before = SpanClock.wall()
                let reply = try await gateway.send(
                    edge,
                    "POST /pay?card=4711 HTTP/1.1\r\nhost: a\r\nconnection: close\r\nx-msx-env: feat-refunds\r\n"
                        + "\(Self.parent)\r\ncontent-length: 5\r\n\r\nhello")
                _ = try await gateway.get(own, ["baggage: msx-env=gone"])
                let counts = await gateway.plane.flushSpans()
                #expect(counts == SpanCounts(recorded: 2, lost: 0))
                let spans = Self.spans(in: folder).sorted { $0.startedAt < $1.startedAt }
                let span = try #require(spans.first)
                #expect(span.trace.hex == Self.trace && Span.hex(span.parent) == "00f067aa0ba902b7")
                // The service gets our span's id, so that what it calls names us as its parent.
                #expect(reply.body.contains("traceparent: 00-\(Self.trace)-\(Span.hex(span.id))-01"))
                #expect(span.route == "POST /pay" && span.status == 200 && span.carrier == .header)
                #expect(span.place.caller == "edge" && span.place.service == "payments")
                #expect(span.place.environment.id == Shop.baseline && span.place.environment.name == "shop")
                #expect(span.place.context?.id == Shop.refunds && span.place.provider?.name == "refunds-env")
                #expect(span.place.revision == 3 && span.reachedProvider && span.attempts == 1 && span.isSampled)
                #expect(span.requestBytes == 5 && span.responseBytes == UInt64(reply.body.utf8.count))
                #expect(span.startedAt >= before - 1_000_000 && span.end <= SpanClock.wall() + 1_000_000)
                #expect(span.firstByte > 0 && span.firstByte <= span.duration)
                let refused = try #require(spans.last)
                #expect(refused.place.fault == "unknown_environment" && refused.status == 404)
                #expect(refused.place.caller == "orders" && !refused.reachedProvider && refused.carrier == .baggage)
            }
        }
    }

    @Test func aCallWithoutATraceBelongsToTheOnlyRequestThatItsCallerAnswers() async throws {
        try await withFolder { folder in
            let address = Mutex(0)
            let front = try Origin("front@shop") { socket, origin in
                while Origin.readRequest(socket) != nil {
                    let inner = try RawSocket.connect(address.withLock { $0 })
                    try inner.send("GET / HTTP/1.1\r\nhost: payments\r\nconnection: close\r\n\r\n")
                    _ = inner.receiveAll()
                    try socket.send("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n")
                }
            }
            let payments = try Origin("payments@shop")
            defer { for origin in [front, payments] { origin.stop() } }
            var shop = Shop([front.name: front.port, payments.name: payments.port])
            let edge = try shop.listen(Shop.baseline, "front")
            let own = try shop.listen(Shop.baseline, "payments", caller: .service("front"))
            address.withLock { $0 = own }
            try await GatewayFixture.with(shop.table, spansFolder: folder + "/spans") { gateway in
                _ = try await gateway.get(edge, [Self.parent])
                _ = try await gateway.get(edge, [Self.parent, "x-msx-env: feat-refunds"])
                _ = await gateway.plane.flushSpans()
                let calls = Self.spans(in: folder).filter { $0.place.caller == "front" }
                #expect(calls.map(\.trace.hex) == [Self.trace, Self.trace])
                #expect(calls.allSatisfy { $0.isAttributed })
                let requests = Self.spans(in: folder).filter { $0.place.caller == "edge" }
                #expect(Set(calls.map(\.parent)) == Set(requests.map(\.id)))
                #expect(Set(calls.map(\.leak)) == [nil, .suspected])
                let marked = Self.spans(in: folder).filter { $0.contextLost }
                #expect(marked.map(\.place.caller) == ["edge"])
            }
        }
    }

    @Test func whatFollowsFromALeakIsShownInItsTraceAndTeachesItNothing() async throws {
        try await withFolder { folder in
            let next = Mutex<[String: Int]>([:])
            func relay(_ name: String, forwarding: String? = nil) throws -> Origin {
                try Origin("\(name)@shop") { socket, _ in
                    while let request = Origin.readRequest(socket) {
                        let fields = request.components(separatedBy: "\r\n").filter { line in
                            forwarding.map { line.hasPrefix($0 + ":") } ?? false
                        }
                        let inner = try RawSocket.connect(next.withLock { $0[name] ?? 0 })
                        let lines = ["GET / HTTP/1.1", "host: a", "connection: close"] + fields
                        try inner.send(lines.joined(separator: "\r\n") + "\r\n\r\n")
                        _ = inner.receiveAll()
                        try socket.send("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n")
                    }
                }
            }
            let origins = [try relay("front"), try relay("orders"), try Origin("payments@shop")]
            defer { for origin in origins { origin.stop() } }
            var shop = Shop(Dictionary(uniqueKeysWithValues: origins.map { ($0.name, $0.port) }))
            let edge = try shop.listen(Shop.baseline, "front")
            let second = try shop.listen(Shop.baseline, "orders", caller: .service("front"))
            let third = try shop.listen(Shop.baseline, "payments", caller: .service("orders"))
            next.withLock { $0 = ["front": second, "orders": third] }
            try await GatewayFixture.with(shop.table, spansFolder: folder + "/spans") { gateway in
                _ = try await gateway.get(edge, [Self.parent, "x-msx-env: feat-refunds"])
                _ = await gateway.plane.flushSpans()
                let spans = Self.spans(in: folder)
                #expect(spans.count == 3 && Set(spans.map(\.trace.hex)) == [Self.trace])
                let ids = Dictionary(uniqueKeysWithValues: spans.map { ($0.place.service, $0.id) })
                let parents = Dictionary(uniqueKeysWithValues: spans.map { ($0.place.service, $0.parent) })
                #expect(parents["orders"] == ids["front"] && parents["payments"] == ids["orders"])
                // Who forwards nothing but the trace id is still led into the overlay.
                _ = try await gateway.get(edge, [Self.parent])
                _ = await gateway.plane.flushSpans()
                let last = Self.spans(in: folder).filter { $0.place.caller == "edge" }.map(\.place.context?.id)
                #expect(last == [Shop.refunds, Shop.refunds])
            }
        }
    }

    // MARK: Files

    private static func table() -> CompiledTable { CompiledTable(Shop(["a@shop": 1]).table, after: nil) }

    private static func batch(_ ids: Range<UInt64>, _ table: CompiledTable) -> SpanBatch {
        let batch = SpanBatch()
        for id in ids {
            var span = HopSpan()
            "GET".withBytes { method in "/a?b".withBytes { span.begin(at: id, method, $0) } }
            span.trace = TraceID(high: 0, low: id)
            span.environment = 0
            _ = batch.append(span, table)
        }
        return batch
    }

    private static func ids(in folder: String) -> Set<UInt64> { Set(spans(in: folder).map(\.trace.low)) }

    @Test func whatWasTornIsCutOffAndTheRestStays() async throws {
        try await withFolder { folder in
            let table = Self.table()
            let spans = folder + "/spans"
            for round in 0..<2 {
                let writer = SpanWriter(SpanSegments(folder: spans, maxBytes: 1 << 20, maxSegments: 4))
                #expect(writer.write(Self.batch(UInt64(round * 10)..<UInt64(round * 10 + 10), table)))
            }
            #expect(Self.ids(in: folder) == Set(0..<20))
            let path = SpanSegments.path(1, in: spans)
            let whole = try Data(contentsOf: URL(filePath: path))
            // Whatever the end is torn to, the first block is read and the second never half.
            for length in stride(from: whole.count - 1, to: whole.count / 2 + 40, by: -37) {
                try whole.prefix(length).write(to: URL(filePath: path))
                #expect(Self.ids(in: folder) == Set(0..<10))
            }
            // And a bit that has turned over is noticed.
            var rotten = whole
            rotten[whole.count - 3] ^= 4
            try rotten.write(to: URL(filePath: path))
            #expect(Self.ids(in: folder) == Set(0..<10))
            let writer = SpanWriter(SpanSegments(folder: spans, maxBytes: 1 << 20, maxSegments: 4))
            #expect(writer.write(Self.batch(30..<40, table)))
            #expect(Self.ids(in: folder) == Set(0..<10).union(30..<40))
            #expect(SpanSegments.numbers(in: spans) == [1])
        }
    }

    @Test func aBlockHoldsAsManyPlacesAsSpans() async throws {
        try await withFolder { folder in
            var routed = RoutingTable(version: 1)
            for number in 0..<700 {
                routed.environments.append(
                    RoutedEnvironment(
                        id: EnvironmentID(rawValue: "env-\(number)"), name: "overlay-\(number)", revision: number,
                        state: .serving, services: [Shop.service("service-\(number)", 1)]))
            }
            let tables = [CompiledTable(routed, after: nil), Self.table()]
            let batch = SpanBatch()
            for number in 0..<1000 {
                var span = HopSpan()
                "GET".withBytes { method in "/".withBytes { span.begin(at: 1, method, $0) } }
                span.trace = TraceID(high: 0, low: UInt64(number))
                span.environment = Int32(number % 700)
                span.service = Int32((number * 7) % 700)
                span.context = number % 3 == 0 ? Int32((number * 11) % 700) : -1
                span.fault = number % 5 == 0 ? GatewayFault.noEndpoint.rawValue + 1 : 0
                #expect(batch.append(span, tables[0]))
            }
            var other = HopSpan()
            "GET".withBytes { method in "/".withBytes { other.begin(at: 1, method, $0) } }
            (other.trace.low, other.environment, other.service) = (5000, 0, 0)
            #expect(batch.append(other, tables[1]))
            let writer = SpanWriter(SpanSegments(folder: folder + "/spans", maxBytes: 1 << 20, maxSegments: 4))
            #expect(writer.write(batch) && writer.write(batch))
            let spans = Self.spans(in: folder)
            #expect(spans.count == 2002)
            for span in spans {
                let number = Int(span.trace.low)
                guard number < 5000 else {
                    #expect(span.place.environment.name == "shop" && span.place.service == "a")
                    continue
                }
                #expect(span.place.environment.id.rawValue == "env-\(number % 700)")
                #expect(span.place.service == "service-\((number * 7) % 700)" && span.place.caller == "edge")
                #expect(span.place.provider?.name == "overlay-\((number * 7) % 700)")
                #expect(span.place.revision == (number * 7) % 700)
                #expect(span.place.context?.name == (number % 3 == 0 ? "overlay-\((number * 11) % 700)" : nil))
                #expect(span.place.fault == (number % 5 == 0 ? "no_endpoint" : nil))
            }
        }
    }

    @Test func theFilesAreBoundedAndTheOldestGoes() async throws {
        try await withFolder { folder in
            let table = Self.table()
            let spans = folder + "/spans"
            let segments = SpanSegments(folder: spans, maxBytes: 1 << 16, maxSegments: 3)
            let writer = SpanWriter(segments)
            for round in 0..<20 {
                #expect(writer.write(Self.batch(UInt64(round * 500)..<UInt64(round * 500 + 500), table)))
            }
            #expect(SpanSegments.numbers(in: spans).count == 3)
            let kept = Self.ids(in: folder)
            #expect(kept.max() == 9_999 && kept.count >= 1_000 && kept.count < 3_000)
            // What is no segment is left alone, and another one is begun.
            let next = (SpanSegments.numbers(in: spans).last ?? 0) + 1
            try Data("something else".utf8).write(to: URL(filePath: SpanSegments.path(next, in: spans)))
            let after = SpanWriter(SpanSegments(folder: spans, maxBytes: 1 << 16, maxSegments: 3))
            #expect(after.write(Self.batch(20_000..<20_001, table)))
            #expect(Self.ids(in: folder).contains(20_000))
            #expect(SpanSegments.numbers(in: spans).last == next + 1)
        }
    }

    @Test func aFullDiskLosesSpansAndNothingElse() async throws {
        try await withFolder { folder in
            let origin = try Origin("payments@shop")
            defer { origin.stop() }
            var shop = Shop([origin.name: origin.port])
            let edge = try shop.listen(Shop.baseline, "payments")
            // A file where the folder should be: nothing can be written.
            try Data().write(to: URL(filePath: folder + "/spans"))
            try await GatewayFixture.with(shop.table, spansFolder: folder + "/spans") { gateway in
                for _ in 0..<3 {
                    let reply = try await gateway.get(edge)
                    #expect(reply.status == 200)
                }
                let counts = await gateway.plane.flushSpans()
                #expect(counts == SpanCounts(recorded: 0, lost: 3))
            }
        }
    }

    @Test func aWriterThatIsBehindCostsSpansNotMemory() async throws {
        try await withFolder { folder in
            var limits = GatewayLimits()
            limits.maxSpansInMemory = 2 * SpanBatch.capacity
            let store = SpanStore(folder: folder + "/spans", limits: limits, loops: 1)
            let recorder = SpanRecorder(store)
            let table = Self.table()
            var span = HopSpan()
            "GET".withBytes { method in "/".withBytes { span.begin(at: 1, method, $0) } }
            span.environment = 0
            let gate = DispatchSemaphore(value: 0)
            store.hold(until: gate)
            for _ in 0..<(5 * SpanBatch.capacity) { recorder.record(span, by: table) }
            gate.signal()
            await store.flush()
            #expect(store.counts.lost == UInt64(3 * SpanBatch.capacity))
            // And afterwards it goes on.
            recorder.record(span, by: table)
            recorder.handOver()
            await store.flush()
            #expect(store.counts.recorded == UInt64(2 * SpanBatch.capacity + 1))
        }
    }

    @Test(arguments: [
        ("4bf92f35", true), ("4bf92f3577b34da6a3ce929d0e0e4736", true), ("4BF92F3577B34DA6A", true), ("5", false),
        ("4bf92f3577b34da6a3ce929d0e0e4737", false), ("4bf92f36", false),
    ])
    func idsAreFoundByTheirBeginning(_ text: String, _ expected: Bool) {
        let key = TraceKey(high: 0x4bf9_2f35_77b3_4da6, low: 0xa3ce_929d_0e0e_4736)
        #expect(TraceKey.Prefix(text)?.matches(key) == expected)
    }

    @Test func idsOf64BitsAreFoundToo() {
        let key = TraceKey(high: 0, low: 0xa3ce_929d_0e0e_4736)
        #expect(key.hex == "a3ce929d0e0e4736")
        #expect(TraceKey.Prefix("a3ce")?.matches(key) == true)
        #expect(TraceKey.Prefix("a3ce929d0e0e4736")?.matches(key) == true)
        #expect(TraceKey.Prefix("0000000000000000a3ce929d0e0e4736")?.matches(key) == true)
        #expect(TraceKey.Prefix("a3ce929d0e0e47360")?.matches(key) == false)
        #expect(TraceKey.Prefix("") == nil && TraceKey.Prefix("xyz") == nil)
    }
}

extension String {
    fileprivate func withBytes<Result>(_ body: (UnsafeRawBufferPointer) -> Result) -> Result {
        Array(utf8).withUnsafeBytes(body)
    }
}
