import EnvironmentGraph
import Foundation
import Storage
import StoreConformance
import TestSupport
import Testing

@testable import SQLiteStore

/// Schemas go forward only; what there was before is kept once.
@Suite struct SchemaCopyTests {
    private static let today = Schema.current.migrations.count

    private func schema(_ steps: Int) -> Schema {
        Schema(migrations: Schema.current.migrations + (0..<steps).map { ["CREATE TABLE later\($0)(x)"] })
    }

    private func withStoreOfToday(_ body: (String) async throws -> Void) async throws {
        try await withTemporaryFolder { folder in
            let path = folder + "/state.db"
            let store = try SQLiteStore(path: path)
            try await store.write { try $0.set("a", to: "1") }
            store.close()
            try await body(path)
        }
    }

    @Test func theOldProgramGoesOnFromTheCopy() async throws {
        try await withStoreOfToday { path in
            let migrated = try SQLiteStore(path: path, schema: schema(1))
            try await migrated.write { try $0.set("a", to: "2") }
            migrated.close()
            let error = try refusal(path)
            #expect(error.code == .newerSchema)
            #expect(error.message.contains("schema \(Self.today + 1)"))
            #expect(error.hint?.contains(path + ".before-") == true)

            let copy = path + ".before-\(Self.today)"
            #expect(try mode(copy) == 0o600)
            let old = try SQLiteStore(path: copy)
            defer { old.close() }
            #expect(try await old.read { try $0.setting("a") } == "1")
        }
    }

    @Test func onlyTheLastCopyIsKept() async throws {
        try await withStoreOfToday { path in
            for steps in 1...3 { try SQLiteStore(path: path, schema: schema(steps)).close() }
            let folder = (path as NSString).deletingLastPathComponent
            let copies = try FileManager.default.contentsOfDirectory(atPath: folder).filter { $0.contains(".before-") }
            #expect(copies == ["state.db.before-\(Self.today + 2)"])
        }
    }

    @Test func withoutAChangeNothingIsCopied() async throws {
        try await withStoreOfToday { path in
            try SQLiteStore(path: path).close()
            let folder = (path as NSString).deletingLastPathComponent
            let copies = try FileManager.default.contentsOfDirectory(atPath: folder).filter { $0.contains(".before-") }
            #expect(copies.isEmpty)
        }
    }

    @Test func whereNoCopyCanBeMadeNothingIsMigrated() async throws {
        try await withStoreOfToday { path in
            // A folder that cannot be replaced by the copy.
            let place = path + ".before-\(Self.today)"
            try FileManager.default.createDirectory(atPath: place + "/full", withIntermediateDirectories: true)
            let newer = schema(1)
            #expect(throws: StoreError.self) { try SQLiteStore(path: path, schema: newer) }
            #expect(try SQLiteStore.schemaVersion(of: path) == Self.today)
            let old = try SQLiteStore(path: path)
            defer { old.close() }
            #expect(try await old.read { try $0.setting("a") } == "1")
        }
    }

    @Test func everyReleasedSchemaIsUnderstood() async throws {
        for version in 1...Self.today {
            try await withTemporaryFolder { folder in
                let path = folder + "/state.db"
                try SQLiteStore(
                    path: path, schema: Schema(migrations: Array(Schema.current.migrations.prefix(version)))
                )
                .close()
                let store = try SQLiteStore(path: path)
                defer { store.close() }
                let shop = Samples.environment("shop")
                try await store.write { try $0.save(shop) }
                #expect(try await store.read { try $0.environments() } == [shop])
            }
        }
    }

    /// Before overlays had an index of their own, their ids stood in the record only.
    @Test func overlaysFromBeforeTheirIndexAreFound() async throws {
        try await withTemporaryFolder { folder in
            let path = folder + "/state.db"
            try SQLiteStore(path: path, schema: Schema(migrations: Array(Schema.current.migrations.prefix(3)))).close()
            let feat = Samples.environment("feat", parent: Samples.environment("shop"))
            let record = String(decoding: try JSONEncoder().encode(feat), as: UTF8.self)
            try change(
                path,
                """
                INSERT INTO environments(id, name, mode, state, parent, version, wanted, record)
                VALUES('\(feat.id)', 'feat', 'overlay', 'pending', 'env-shop', 1, 0, '\(record)')
                """)
            let store = try SQLiteStore(path: path)
            defer { store.close() }
            #expect(try await store.read { try $0.overlays(withOverlayID: "ov-feat") } == [feat])
        }
    }
}
