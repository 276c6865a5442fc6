import SQLiteStore
import Storage
import StoreConformance
import Testing

@Suite struct ConformanceTests {
    @Test(arguments: StoreConformance.cases) func conforms(_ rule: StoreRule) async throws {
        try await withStore { store in try await rule.check(store) }
    }

    @Test func somethingIsChecked() {
        #expect(StoreConformance.cases.count >= 20)
    }
}
