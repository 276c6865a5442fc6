import EnvironmentGraph
import Foundation
import Storage
import StoreConformance
import TestSupport
import Testing

@testable import SQLiteStore

/// What this driver does beyond the port's promises.
@Suite struct TransactionTests {
    @Test func aFailureThatIsCaughtStillUndoesTheTransaction() async throws {
        try await withStore { store in
            let shop = Samples.environment("shop")
            let twice = Samples.environment("other")
            let error = await #expect(throws: StoreError.self) {
                try await store.write { writing in
                    try writing.save(shop)
                    try writing.set("a", to: "1")
                    // The second step of the same key fails after the first was stored.
                    do { try writing.save(executionWithTwins(of: twice)) } catch is StoreError {}
                }
            }
            #expect(error?.code == .ioError)
            let setting = try await store.read { try $0.setting("a") }
            #expect(setting == nil)
            #expect(try await store.read { try $0.unfinishedExecutions() } == [])
            #expect(try await store.read { try $0.environment(shop.id) } == nil)
        }
    }

    @Test func whatBelongsToNoEnvironmentIsRefused() async throws {
        try await withStore { store in
            let port = PortAssignment(
                environment: EnvironmentID(rawValue: "env-no"), purpose: .service("db", port: "sql"), number: 40_001)
            let error = await #expect(throws: StoreError.self) { try await store.write { try $0.save(port) } }
            #expect(error?.code == .ioError)
            let ports = try await store.read { try $0.portsInUse() }
            #expect(ports == [])
        }
    }

    @Test func aReaderCannotWrite() async throws {
        try await withStore { store in
            await #expect(throws: StoreError.self) {
                try await store.read { reading in
                    let writing = try #require(reading as? any StoreWriting)
                    try writing.set("a", to: "1")
                }
            }
            let setting = try await store.read { try $0.setting("a") }
            #expect(setting == nil)
        }
    }

    @Test func aRecordThatIsTooLargeIsRefusedWithTheLimit() async throws {
        try await withStore { store in
            let text = String(repeating: "x", count: Int(Connection.longestRecord) + 1)
            let error = await #expect(throws: StoreError.self) { try await store.write { try $0.set("a", to: text) } }
            #expect(error?.message.contains("64 MiB") == true)
            try await store.write { try $0.set("a", to: "1") }
        }
    }

    @Test func closingWaitsForWhatWasBegun() async throws {
        try await withTemporaryFolder { folder in
            let path = folder + "/state.db"
            let store = try SQLiteStore(path: path)
            let (began, mayEnd) = (DispatchSemaphore(value: 0), DispatchSemaphore(value: 0))
            async let write: Void = store.write { writing in
                began.signal()
                guard mayEnd.wait(timeout: .now() + 20) == .success else { throw CocoaError(.userCancelled) }
                try writing.set("a", to: "1")
            }
            // On a thread of its own: closing blocks.
            let closed = Task {
                await withCheckedContinuation { continuation in
                    Thread.detachNewThread {
                        began.wait()
                        mayEnd.signal()
                        store.close()
                        continuation.resume()
                    }
                }
            }
            try await write
            await closed.value
            let second = try SQLiteStore(path: path)
            defer { second.close() }
            #expect(try await second.read { try $0.setting("a") } == "1")
        }
    }

    @Test func aStoreThatIsForgottenIsClosed() async throws {
        try await withTemporaryFolder { folder in
            let path = folder + "/state.db"
            try await SQLiteStore(path: path).write { try $0.set("a", to: "1") }
            let second = try await eventually("the file to be free") {
                do throws(StoreError) {
                    return try SQLiteStore(path: path)
                } catch {
                    guard error.code == .locked else { throw error }
                    return nil
                }
            }
            defer { second.close() }
            #expect(try await second.read { try $0.setting("a") } == "1")
        }
    }

    @Test func onlySoManyTransactionsMayWait() {
        var queues = Queues(readers: 2, limit: 3)
        let (first, second, writes) = (queues.takeReader(), queues.takeReader(), queues.takeWriter())
        #expect([first, second] == [0, 1])
        #expect(writes)
        let (third, writesAgain) = (queues.takeReader(), queues.takeWriter())
        #expect(third == nil)
        #expect(!writesAgain)
        queues.leaveReader(1)
        let fourth = queues.takeReader()
        #expect(fourth == 1)
    }

    private func executionWithTwins(of environment: EnvironmentRecord) -> ExecutionRecord {
        let step = StepRecord(
            plan: PlannedStep(key: "a", title: "A", reason: "new", action: .allocatePorts, needs: []))
        return ExecutionRecord(
            id: ExecutionID(rawValue: "exe-1"), environment: environment.id, kind: .create, steps: [step, step],
            createdAt: 1)
    }
}
