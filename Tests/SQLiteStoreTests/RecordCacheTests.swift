import Blueprints
import EnvironmentGraph
import Testing

@testable import SQLiteStore

@Suite struct RecordCacheTests {
    private static func entry(_ number: Int, version: Int64 = 1) -> (EnvironmentID, RecordCache.Entry) {
        let id = EnvironmentID(rawValue: "env-\(number)")
        let spec = BlueprintSpec(name: "e\(number)", services: [])
        let record = EnvironmentRecord(
            id: id, name: "e\(number)", mode: .isolated, spec: spec, difference: Difference(entries: []), createdAt: 1)
        return (id, RecordCache.Entry(version: version, record: record))
    }

    @Test func whatIsUsedStaysAndWhatIsNotGoes() {
        let cache = RecordCache(after: 0, generationLimit: 10)
        let (used, entry) = Self.entry(0)
        cache.insert([used: entry])
        for number in 1..<100 {
            let (id, entry) = Self.entry(number)
            cache.insert([id: entry])
            #expect(cache.entry(used) != nil)
        }
        let left = (0..<100).count { cache.snapshot[EnvironmentID(rawValue: "env-\($0)")] != nil }
        #expect(left <= 20)
        #expect(cache.entry(EnvironmentID(rawValue: "env-1")) == nil)
        #expect(cache.entry(EnvironmentID(rawValue: "env-99")) != nil)
    }

    @Test func anOlderVersionReplacesNoNewer() {
        let cache = RecordCache(after: 0, generationLimit: 2)
        let (id, newer) = Self.entry(0, version: 5)
        cache.insert([id: newer])
        // Others push it into the older generation.
        for number in 1...2 {
            let (other, entry) = Self.entry(number)
            cache.insert([other: entry])
        }
        cache.insert([id: Self.entry(0, version: 4).1])
        #expect(cache.snapshot[id]?.version == 5)
        cache.remove([id])
        #expect(cache.entry(id) == nil)
    }
}
