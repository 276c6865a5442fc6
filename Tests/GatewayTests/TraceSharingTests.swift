import CPlatform
import EnvironmentGraph
import Foundation
import HTTPWire
import Logging
import TestSupport
import Testing

@testable import Gateway

/// What several gateways have seen of traces is one memory.
@Suite struct TraceSharingTests {
    private static func id(_ number: Int) -> TraceID {
        TraceID(high: UInt64(number) &* 7, low: UInt64(number) | 1 << 40)
    }

    private static func share(_ memory: TraceMemory, with other: TraceMemory, now: Int64 = 2_000) throws {
        let region = other.region
        try withExtendedLifetime(region) { try memory.share(dup(region.descriptor), now: now) }
    }

    @Test func whatWasKnownBeforeAndWhatComesAfterIsKnownToBoth() throws {
        let (first, second) = (TraceMemory(capacity: 1), TraceMemory(capacity: 1))
        first.saw(Self.id(1), root: 1, context: 7, now: 1_000)
        second.saw(Self.id(2), root: 1, context: 8, now: 1_000)
        first.saw(Self.id(3), root: 1, context: 7, now: 1_000)
        second.saw(Self.id(3), root: 1, context: 8, now: 1_000)
        second.saw(Self.id(4), root: 1, context: 0, now: 1_000)
        second.breaks([Self.id(5)], now: 1_000)
        try Self.share(second, with: first)
        // Again, it is the same.
        try Self.share(second, with: first)
        first.saw(Self.id(6), root: 1, context: 9, now: 3_000)
        for memory in [first, second] {
            let contexts = [1, 2, 3, 4, 6, 7].map { memory.context(of: Self.id($0), root: 1, now: 3_000) }
            #expect(contexts == [.one(7), .one(8), .several, .none, .one(9), .unknown])
            #expect(memory.isBroken(Self.id(5), now: 3_000) && !memory.isBroken(Self.id(1), now: 3_000))
            #expect(!memory.isBroken(Self.id(5), now: 1_000 + TraceMemory.lifetime))
        }
        // A third one, and the first one's end.
        let third = TraceMemory(capacity: 4_000)
        try Self.share(first, with: third)
        first.saw(Self.id(8), root: 1, context: 5, now: 3_000)
        #expect(third.context(of: Self.id(2), root: 1, now: 3_000) == .one(8))
        #expect(third.context(of: Self.id(8), root: 1, now: 3_000) == .one(5))
    }

    @Test func whatIsNoMemoryOfTracesIsRefused() throws {
        let memory = TraceMemory(capacity: 1)
        memory.saw(Self.id(1), root: 1, context: 7, now: 1_000)
        let size = TraceTable.size(buckets: TraceTable.fewestBuckets)
        for descriptor in [-1, open("/dev/null", O_RDWR), msx_shared_file(64), msx_shared_file(size)] {
            #expect(throws: TraceRegion.Failure.self) { try memory.share(descriptor, now: 2_000) }
        }
        #expect(memory.context(of: Self.id(1), root: 1, now: 2_000) == .one(7))
    }

    /// Whoever was killed while it put something leaves a place that nobody uses any more, and nothing waits.
    @Test func aPlaceThatIsNeverFinishedCostsItselfAlone() throws {
        let region = try TraceRegion(capacity: 1)
        let places = TraceTable.fewestBuckets * TraceTable.ways
        for place in 0..<places where place % TraceTable.ways != 3 {
            let version = (region.table.base + 4096 + place * 48).assumingMemoryBound(to: UInt64.self)
            version.pointee = 1
        }
        for number in 1...100 { region.table.saw(Self.id(number), root: 1, context: 7, now: Int64(number)) }
        let known = (1...100).filter { region.table.context(of: Self.id($0), root: 1, now: 100) == .one(7) }
        #expect(known.count > 50 && known.contains(100))
        #expect(region.table.forgotten == UInt64(100 - known.count))
    }

    /// Many at once, in a table that is far too small: an answer may be missing, and is never another one's.
    @Test func nobodyReadsAnothersContext() async throws {
        let memory = TraceMemory(capacity: 1)
        let found = try await withThrowingTaskGroup(of: (known: Int, wrong: Int).self) { group in
            for worker in 0..<4 {
                group.addTask { try await onThread { Self.hammer(memory, worker) } }
            }
            var total = (known: 0, wrong: 0)
            for try await part in group { total = (total.known + part.known, total.wrong + part.wrong) }
            return total
        }
        #expect(found.wrong == 0)
        #expect(found.known > 10_000)
    }

    private static func hammer(_ memory: TraceMemory, _ worker: Int) -> (known: Int, wrong: Int) {
        var (known, wrong) = (0, 0)
        for step in 0..<100_000 {
            let (number, now) = ((step &* 7 &+ worker &* 13) % 6_000 + 1, Int64(step + 1))
            memory.saw(id(number), root: 1, context: UInt64(number), now: now)
            let other = (number * 31) % 6_000 + 1
            switch memory.context(of: id(other), root: 1, now: now) {
            case .unknown: break
            case .one(let context) where context == UInt64(other): known += 1
            default: wrong += 1
            }
        }
        return (known, wrong)
    }

    /// Two loops that see one id in two contexts at the same moment: it says nothing, whoever was first.
    @Test func twoContextsAtTheSameMomentAreSeveral() async throws {
        let memory = TraceMemory()
        try await withThrowingTaskGroup(of: Void.self) { group in
            for context in 1...2 {
                group.addTask {
                    try await onThread {
                        for number in 1...20_000 {
                            memory.saw(Self.id(number), root: 1, context: UInt64(context), now: 1)
                        }
                    }
                }
            }
            try await group.waitForAll()
        }
        let several = (1...20_000).filter { memory.context(of: Self.id($0), root: 1, now: 1) == .several }
        #expect(several.count == 20_000)
    }

    /// A gateway and whoever follows its control plane; and the next one, after it has ended.
    @Test func aGatewayGivesAndIsGivenItsMemory() async throws {
        let (base, copy) = (try Origin("payments@shop"), try Origin("payments@refunds-env"))
        defer { for origin in [base, copy] { origin.stop() } }
        var shop = Shop(["payments@shop": base.port, "payments@refunds-env": copy.port], version: 1)
        let port = try shop.listen(Shop.baseline, "payments", caller: .service("web"))
        let table = shop.table
        @Sendable func provider(_ trace: TraceID) async throws -> String? {
            try await onThread {
                let high = String(trace.high, radix: 16), low = String(trace.low, radix: 16)
                let digits = [high, low].map { String(repeating: "0", count: 16 - $0.count) + $0 }.joined()
                let socket = try RawSocket.connect(port)
                try socket.send("GET / HTTP/1.1\r\nhost: a\r\ntraceparent: 00-\(digits)-00f067aa0ba902b7-01\r\n\r\n")
                return GatewayFixture.readResponse(socket)?.field("x-msx-provider")
            }
        }
        try await withTemporaryFolder { folder in
            let other = TraceMemory()
            @Sendable func saw(_ number: Int) {
                let now = LoopPart.milliseconds()
                other.saw(
                    Self.id(number), root: Shop.baseline.key, context: Shop.refunds.key, now: now)
            }
            try FileManager.default.createDirectory(atPath: folder + "/other", withIntermediateDirectories: true)
            let sharing = TraceSharing(other, folder: folder + "/other", logger: Logger(label: "test"))
            let running = Task { await sharing.run() }
            defer { running.cancel() }
            let place = TracePlace(machine: TracePlace.thisMachine, folder: folder + "/own")
            try await withGateway(folder + "/own") { control, _ in
                _ = try await control.putTable(table)
                saw(1)
                await sharing.share(with: TracePlace(machine: "another", folder: folder + "/own"))
                #expect(await sharing.problem == "it is on another machine")
                #expect(try await provider(Self.id(1)) == "payments@shop#r12")
                saw(2)
                try await eventually("the gateway's answer") { () -> Bool? in
                    await sharing.share(with: place)
                    return await sharing.problem == nil ? true : nil
                }
                #expect(try await provider(Self.id(2)) == "payments@refunds-env#r3")
                saw(3)
                #expect(try await provider(Self.id(3)) == "payments@refunds-env#r3")
            }
            saw(4)
            try await eventually("its end is noticed") { () -> Bool? in await sharing.problem == nil ? nil : true }
            try await withGateway(folder + "/own") { _, _ in
                // Asked before, it would take what it is asked for as begun without a context.
                try await eventually("the next one is given it") { () -> Bool? in
                    await sharing.problem == nil ? true : nil
                }
                for known in [2, 3, 4] {
                    #expect(try await provider(Self.id(known)) == "payments@refunds-env#r3")
                }
            }
            running.cancel()
            await running.value
            // It is asked again where it was.
            let kept = FileManager.default.contents(atPath: folder + "/other/traces.json") ?? Data()
            #expect(try JSONDecoder().decode(TracePlace.self, from: kept) == place)
        }
    }
}
