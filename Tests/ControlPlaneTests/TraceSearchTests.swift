import EnvironmentGraph
import Foundation
import HTTPWire
import Testing

@testable import ControlPlane
@testable import Gateway

/// Finding traces in segment files, whose blocks come from several event loops.
@Suite struct TraceSearchTests {
    private static let shop = EnvironmentID(rawValue: "env-shop")
    private static let overlay = EnvironmentID(rawValue: "env-feat")

    private static let table: CompiledTable = {
        func environment(_ id: EnvironmentID, _ name: String, parent: EnvironmentID? = nil) -> RoutedEnvironment {
            RoutedEnvironment(
                id: id, name: name, revision: 1, state: .serving, overlayID: parent == nil ? nil : name, parent: parent,
                services: [RoutedService(name: "api", exposed: true, ready: true, ports: [])])
        }
        return CompiledTable(
            RoutingTable(
                version: 1, environments: [environment(shop, "shop"), environment(overlay, "feat", parent: shop)]),
            after: nil)
    }()

    /// - Parameters:
    ///   - start: milliseconds ago; it takes one.
    ///   - inOverlay: in its context; else nothing of it has to do with the overlay.
    private static func span(_ trace: UInt64, _ start: Int64, inOverlay: Bool, status: UInt16 = 200) -> HopSpan {
        var span = HopSpan()
        let target = Array("/".utf8)
        target.withUnsafeBytes { span.begin(at: UInt64(Int64(SpanClock.now()) - start * 1_000_000), $0, $0) }
        span.trace = TraceID(high: 0, low: trace)
        span.duration = 1_000_000
        (span.environment, span.service, span.context, span.status) = (0, 0, inOverlay ? 1 : -1, status)
        return span
    }

    private func with(_ blocks: [[HopSpan]], _ body: (SpanFolder) -> Void) throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "search-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }  // a temporary folder; the system ends it, too
        let writer = SpanWriter(SpanSegments(folder: folder + "/spans", maxBytes: 1 << 16, maxSegments: 64))
        for block in blocks {
            let batch = SpanBatch()
            batch.wallOffset = SpanClock.wallOffset()
            for span in block { #expect(batch.append(span, Self.table)) }
            #expect(writer.write(batch))
        }
        body(SpanFolder(gatewayFolder: folder))
    }

    /// The hops of each trace that was found, by the last digits of their ids.
    private static func found(_ folder: SpanFolder, _ change: (inout TraceQuery) -> Void = { _ in }) -> [UInt64: Int] {
        var query = TraceQuery(environment: overlay)
        change(&query)
        let traces = TraceSearch.run(query, in: folder)
        #expect(traces.map(\.startedAt) == traces.map(\.startedAt).sorted(by: >))
        return Dictionary(uniqueKeysWithValues: traces.map { ($0.key.low, $0.spans.count) })
    }

    @Test func theHopsOfATraceAreFoundInWhateverOrderTheLoopsWrote() throws {
        let (edge, lost) = (Self.span(1, 20, inOverlay: true), Self.span(1, 15, inOverlay: false))
        let stranger = Self.span(2, 10, inOverlay: false)
        for blocks in [[[edge], [lost], [stranger]], [[lost], [stranger], [edge]], [[lost, stranger, edge]]] {
            try with(blocks) { folder in #expect(Self.found(folder) == [1: 2]) }
        }
    }

    @Test func theNewestAreFoundAndFiltersLookFurther() throws {
        let since = SpanClock.wall() - 2_500_000_000
        // Two thousand traces over ten segments; each hundredth has failed.
        let blocks = (0..<100).map { block in
            (0..<20).map { place in
                let trace = UInt64(block * 20 + place + 1)
                return Self.span(trace, Int64(4000 - trace), inOverlay: true, status: trace % 100 == 0 ? 500 : 200)
            }
        }
        try with(blocks) { folder in
            let newest = Self.found(folder) { $0.limit = 3 }
            #expect(newest == [1998: 1, 1999: 1, 2000: 1])
            let failed = Self.found(folder) {
                $0.limit = 15
                $0.status = .error
            }
            #expect(Set(failed.keys) == Set((0..<15).map { UInt64(2000 - $0 * 100) }))
            #expect(Self.found(folder) { $0.limit = 5000 }.count == 2000)
            #expect(Self.found(folder) { $0.prefix = TraceKey.Prefix("00000000000007d0") } == [2000: 1])
            #expect(Self.found(folder) { $0.prefix = TraceKey.Prefix("ffff") }.isEmpty)
            let late = Self.found(folder) {
                $0.limit = 5000
                $0.since = since
            }
            // They were made a little later than that was read.
            #expect(late.count >= 501 && late.count < 1900, "\(late.count)")
        }
    }

    @Test func anIdThatIsUsedForEverythingIsCutOff() throws {
        let block = (0..<800).map { _ in Self.span(7, 5, inOverlay: true) }
        try with([block, block]) { folder in
            let traces = TraceSearch.run(TraceQuery(environment: Self.overlay), in: folder)
            #expect(traces.count == 1 && traces.first?.spans.count == Trace.maxSpans)
            #expect(traces.first?.omitted == 1600 - Trace.maxSpans)
        }
    }
}
