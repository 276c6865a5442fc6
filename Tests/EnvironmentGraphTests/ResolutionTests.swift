import Blueprints
import EnvironmentGraph
import Testing

@Suite struct ResolutionTests {
    private let base = Samples.baseline()

    private func lineage(_ record: EnvironmentRecord, _ others: EnvironmentRecord...) throws -> Lineage {
        try #require(Lineage(of: record) { id in others.first { $0.id == id } })
    }

    @Test func theNearestCopyAnswers() throws {
        let middle = Samples.overlay(Samples.changing("payments", as: "middle"), on: base, id: "env-middle")
        let leaf = Samples.overlay(Samples.changing("orders", in: middle.spec, as: "leaf"), on: middle, id: "env-leaf")
        let lineage = try lineage(leaf, middle, base)
        #expect(lineage.resolve("orders").provider?.environment == leaf.id)
        #expect(lineage.resolve("orders").provider?.kind == .local)
        #expect(lineage.resolve("payments").provider?.environment == middle.id)
        #expect(lineage.resolve("payments").provider?.kind == .ancestor)
        #expect(lineage.resolve("storefront").provider?.environment == base.id)
        #expect(lineage.resolve("storefront").provider?.kind == .baseline)
    }

    @Test func theLosersSayWhy() throws {
        let overlay = Samples.overlay(Samples.changing("payments"), on: base, id: "env-o")
        let resolution = try lineage(overlay, base).resolve("payments")
        #expect(resolution.candidates.map(\.chosen) == [true, false])
        #expect(resolution.candidates.map(\.why) == ["changed command", "has a copy, but what is nearer decides"])
    }

    @Test func aTombstoneEndsResolution() throws {
        var request = Samples.changing("payments")
        request.services.removeAll { $0.name == "reports" }
        let overlay = Samples.overlay(request, on: base, id: "env-o")
        let lineage = try lineage(overlay, base)
        let resolution = lineage.resolve("reports")
        #expect(resolution.provider == nil)
        #expect(resolution.candidates.map(\.chosen) == [false, false])
        #expect(lineage.services.contains("reports"))
    }

    @Test func whatAParentGainsIsInheritedLive() throws {
        let overlay = Samples.overlay(Samples.changing("payments"), on: base, id: "env-o")
        let grown = Samples.baseline(
            BlueprintSpec(name: "shop", services: Samples.shop.services + [Samples.service("search")]))
        #expect(try lineage(overlay, grown).resolve("search").provider?.environment == base.id)
    }

    @Test func aServiceThatNobodyHasHasNoProvider() throws {
        let resolution = try lineage(base).resolve("nothing")
        #expect(resolution.provider == nil)
        #expect(resolution.candidates.map(\.why) == ["does not have it"])
    }

    @Test func aBrokenChainIsNoLineage() {
        let overlay = Samples.overlay(Samples.changing("payments"), on: base, id: "env-o")
        #expect(Lineage(of: overlay) { _ in nil } == nil)
        #expect(Lineage(of: overlay) { _ in overlay } == nil)
    }
}
