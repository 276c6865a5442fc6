import EnvironmentGraph
import Foundation
import SQLiteStore
import Storage
import TestSupport
import Testing

/// What only shows between processes: crashes, full disks, a second opener.
@Suite struct ProcessTests {
    @Test(arguments: [1, 20, 60])
    func whatWasAcknowledgedSurvivesAKill(after count: Int) async throws {
        try await withTemporaryFolder { folder in
            let path = folder + "/state.db"
            let acknowledged = try await StoreProcess.run("write", path) { process in
                _ = try await process.line("\(count)")
                process.kill()
                return process.lines.count
            }
            let store = try SQLiteStore(path: path)
            defer { store.close() }
            let found = try await store.read { reading in
                (
                    environments: Set(try reading.environments().map(\.id.rawValue)),
                    audit: try reading.audit(limit: 100_000).map(\.subject), last: try reading.setting("last")
                )
            }
            #expect(acknowledged >= count)
            #expect(found.environments.count >= acknowledged)
            // Transactions are whole and in order: no gap, and all three records of each.
            let numbers = 1...found.environments.count
            #expect(found.environments == Set(numbers.map { "env-\($0)" }))
            #expect(found.audit == numbers.reversed().map(String.init))
            #expect(found.last == "\(found.environments.count)")
        }
    }

    @Test func aFullDiskIsSaidLosesNothingAndCanBeMended() async throws {
        try await withTemporaryFolder { folder in
            let path = folder + "/state.db"
            let (full, read, again) = try await StoreProcess.run("fill", path, "\(600 << 10)") { process in
                let lines = (
                    try await process.line("full"), try await process.line("read"), try await process.line("again")
                )
                #expect(process.exitCode() == 0)
                return lines
            }
            let acknowledged = try #require(Int(full.split(separator: " ").last ?? ""))
            #expect(full.hasPrefix("full unwritable"))
            #expect(acknowledged > 0)
            #expect(read == "read \(acknowledged)")
            #expect(again == "again \(acknowledged + 1)")
            let store = try SQLiteStore(path: path)
            defer { store.close() }
            #expect(try await store.read { try $0.environments().count } == acknowledged + 1)
        }
    }

    @Test func aSecondProcessIsRefusedUntilTheFirstIsGone() async throws {
        try await withTemporaryFolder { folder in
            let path = folder + "/state.db"
            try await StoreProcess.run("hold", path) { process in
                _ = try await process.line("open")
                let error = try refusal(path)
                #expect(error.code == .locked)
                #expect(error.hint != nil)
                process.endInput()
                #expect(process.exitCode() == 0)
                try SQLiteStore(path: path).close()
            }
        }
    }

    @Test func aKilledProcessHoldsNothing() async throws {
        try await withTemporaryFolder { folder in
            let path = folder + "/state.db"
            try await StoreProcess.run("hold", path) { process in
                _ = try await process.line("open")
                process.kill()
                try SQLiteStore(path: path).close()
            }
        }
    }

    @Test func aSecondStoreInTheSameProcessIsRefusedAndDoesNoHarm() async throws {
        try await withTemporaryFolder { folder in
            let path = folder + "/state.db"
            let store = try SQLiteStore(path: path)
            defer { store.close() }
            #expect(try refusal(path).code == .locked)
            try await store.write { try $0.set("a", to: "1") }
            let error = try await StoreProcess.run("hold", path) { try await $0.line("failed") }
            #expect(error.hasPrefix("failed locked"))
            #expect(try await store.read { try $0.setting("a") } == "1")
        }
    }
}
