import EnvironmentGraph
import Foundation
import Storage
import StoreConformance
import SwiftToolchainCSQLite
import TestSupport
import Testing

@testable import SQLiteStore

/// What opening makes of files that are not, or not yet, or no longer a store.
@Suite struct OpeningTests {
    @Test func whatWasWrittenIsThereAfterClosingAndOpening() async throws {
        try await withTemporaryFolder { folder in
            let path = folder + "/state.db"
            let shop = Samples.environment("shop")
            let first = try SQLiteStore(path: path)
            try await first.write { try $0.save(shop) }
            first.close()
            first.close()
            let second = try SQLiteStore(path: path)
            defer { second.close() }
            #expect(try await second.read { try $0.environments() } == [shop])
        }
    }

    @Test func onlyTheOwnerMayReadTheFiles() async throws {
        try await withTemporaryFolder { folder in
            let path = folder + "/state.db"
            let store = try SQLiteStore(path: path)
            defer { store.close() }
            try await store.write { try $0.set("a", to: "1") }
            for file in [path, path + "-wal", path + "-shm", path + ".lock"] {
                #expect(try mode(file) == 0o600, "\(file)")
            }
        }
    }

    @Test func aClosedStoreSaysSo() async throws {
        try await withStore { store in
            store.close()
            await #expect(throws: StoreError.self) { try await store.read { try $0.setting("a") } }
            await #expect(throws: StoreError.self) { try await store.write { try $0.set("a", to: "1") } }
        }
    }

    @Test(arguments: ["", "not a database, but longer than the start of one", "SQLite format 3"])
    func aFileThatIsNoDatabaseIsLeftAlone(_ text: String) async throws {
        try await withTemporaryFolder { folder in
            let path = folder + "/state.db"
            let garbage = Data(text.utf8) + Data([0]) + Data(repeating: 0xA5, count: 5_000)
            try garbage.write(to: URL(fileURLWithPath: path))
            #expect(try refusal(path).code == .corrupt)
            #expect(try contents(path) == garbage)
        }
    }

    @Test func aDamagedPageIsFoundBeforeAnythingIsWritten() async throws {
        try await withTemporaryFolder { folder in
            let path = folder + "/state.db"
            let store = try SQLiteStore(path: path)
            try await store.write { writing in
                for number in 0..<50 { try writing.save(Samples.environment("shop-\(number)")) }
            }
            store.close()
            var bytes = try contents(path)
            bytes.replaceSubrange(8_192..<40_000, with: Data(repeating: 0xFF, count: 40_000 - 8_192))
            try bytes.write(to: URL(fileURLWithPath: path))
            let error = try refusal(path)
            #expect(error.code == .corrupt)
            #expect(error.message.contains(path))
            #expect(try contents(path) == bytes)
        }
    }

    @Test func aDatabaseOfAnotherProgramIsLeftAlone() async throws {
        try await withTemporaryFolder { folder in
            let path = folder + "/state.db"
            try change(path, "CREATE TABLE notes(text)")
            let before = try contents(path)
            #expect(try refusal(path).code == .corrupt)
            #expect(try contents(path) == before)
        }
    }

    @Test func aNewerSchemaIsLeftAlone() async throws {
        try await withTemporaryFolder { folder in
            let path = folder + "/state.db"
            try SQLiteStore(path: path).close()
            try change(path, "PRAGMA user_version = \(Schema.current.migrations.count + 1)")
            let before = try contents(path)
            let error = try refusal(path)
            #expect(error.code == .newerSchema)
            #expect(error.hint != nil)
            #expect(try contents(path) == before)
        }
    }

    @Test func anEmptyFileBesideALogIsNotTakenForANewStore() async throws {
        try await withTemporaryFolder { folder in
            let path = folder + "/state.db"
            let log = Data(repeating: 1, count: 5_000)
            try log.write(to: URL(fileURLWithPath: path + "-wal"))
            #expect(try refusal(path).code == .corrupt)
            #expect(try contents(path + "-wal") == log)
        }
    }

    @Test func aRecordThatCannotBeReadIsNamedAndKept() async throws {
        try await withTemporaryFolder { folder in
            let path = folder + "/state.db"
            let store = try SQLiteStore(path: path)
            let shop = Samples.environment("shop")
            try await store.write { try $0.save(shop) }
            store.close()
            try change(path, "UPDATE environments SET record = '{\"id\":1}'")
            let second = try SQLiteStore(path: path)
            defer { second.close() }
            let error = await #expect(throws: StoreError.self) { try await second.read { try $0.environments() } }
            #expect(error?.code == .corrupt)
            #expect(error?.message.contains("environments") == true)
            #expect(error?.message.contains("env-shop") == true)
            // A second time the same: it was not removed.
            await #expect(throws: try #require(error)) { try await second.read { try $0.environment(shop.id) } }
            try await second.write { try $0.save(shop) }
            #expect(try await second.read { try $0.environments() } == [shop])
        }
    }

    @Test func aMigrationHappensWhollyOrNotAtAll() async throws {
        try await withTemporaryFolder { folder in
            let path = folder + "/state.db"
            let store = try SQLiteStore(path: path)
            try await store.write { try $0.set("a", to: "1") }
            store.close()
            let step = ["CREATE TABLE later(x)", "INSERT INTO later VALUES(1)"]
            let broken = Schema(migrations: Schema.current.migrations + [step + ["CREATE TABLE later(x)"]])
            #expect(throws: StoreError.self) { try SQLiteStore(path: path, schema: broken) }
            // The old program still understands it, and the repaired step runs from its beginning.
            try SQLiteStore(path: path).close()
            let repaired = Schema(migrations: Schema.current.migrations + [step])
            let migrated = try SQLiteStore(path: path, schema: repaired)
            #expect(try await migrated.read { try $0.setting("a") } == "1")
            migrated.close()
            #expect(try refusal(path).code == .newerSchema)
        }
    }
}
