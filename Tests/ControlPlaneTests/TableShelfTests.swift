import EnvironmentGraph
import TestSupport
import Testing

@testable import ControlPlane

/// What a gateway that follows the server is told.
@Suite struct TableShelfTests {
    private static func table(_ version: UInt64, _ revisions: Int...) -> RoutingTable {
        RoutingTable(
            version: version,
            environments: revisions.enumerated().map { number, revision in
                RoutedEnvironment(
                    id: EnvironmentID(rawValue: "env-\(number)"), name: "e\(number)", revision: revision,
                    state: .serving)
            })
    }

    @Test func theWholeTableThenDeltasThenNothing() async throws {
        let shelf = TableShelf()
        await shelf.put(Self.table(1, 1, 1, 1))
        // Nobody had asked: nothing is kept.
        #expect(await shelf.news(after: nil, within: .zero) == TableNews())
        #expect(await shelf.isLacking)
        let first = Self.table(2, 1, 1, 1)
        await shelf.put(first)
        let whole = await shelf.news(after: nil, within: .zero)
        #expect(whole.table == first)
        let cursor = try #require(whole.cursor)
        #expect(await shelf.news(after: cursor, within: .milliseconds(30)) == TableNews(cursor: cursor))
        // Who waits is told at once.
        async let waited = shelf.news(after: cursor, within: .seconds(60))
        let second = Self.table(3, 1, 2, 1)
        await shelf.put(second)
        let change = await waited
        #expect(change.table == nil)
        #expect(change.delta?.environments.map(\.revision) == [2])
        #expect(change.delta.flatMap { first.applying($0) } == second)
        // A cursor of another run of the server, whatever its number, gets no delta.
        let foreign = await shelf.news(after: "other.2", within: .zero)
        #expect(foreign.table == second)
        #expect(foreign.cursor == change.cursor)
    }

    @Test func aTableThatIsNoLongerThereIsAnsweredWithTheWhole() async throws {
        let shelf = TableShelf()
        await shelf.begin()
        await shelf.put(Self.table(1, 1, 1, 1))
        let cursor = await shelf.news(after: nil, within: .zero).cursor
        for version in 2...UInt64(TableShelf.maxTables + 1) { await shelf.put(Self.table(version, 1, 1, Int(version))) }
        let news = await shelf.news(after: cursor, within: .zero)
        #expect(news.table?.version == UInt64(TableShelf.maxTables + 1))
        #expect(news.delta == nil)
    }

    @Test func whoWaitsIsLetGoWhenTheServerEnds() async throws {
        let shelf = TableShelf()
        async let waited = shelf.news(after: nil, within: .seconds(60))
        await shelf.close()
        #expect(await waited == TableNews())
    }
}
