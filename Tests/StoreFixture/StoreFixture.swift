import Blueprints
import EnvironmentGraph
import Foundation
import SQLiteStore
import Storage

/// A process that tests of the store start: to kill it, to let its disk run full, to have it hold the store.
///
/// `store-fixture write PATH`: writes without end, a line with the number after each transaction that was acknowledged.
/// `store-fixture fill PATH BYTES`: writes until files may not grow further, then reads, then goes on with more room.
/// `store-fixture measure PATH COUNT`: how long it takes to save and to list that many environments.
/// `store-fixture hold PATH`: opens the store, says so, and keeps it until its input ends.
@main
struct StoreFixture {
    static func main() async throws {
        let arguments = CommandLine.arguments
        guard arguments.count >= 3 else {
            fatalError("usage: store-fixture write|fill|hold|measure PATH [BYTES|COUNT]")
        }
        do {
            let store = try SQLiteStore(path: arguments[2])
            switch arguments[1] {
            case "write": try await write(store)
            case "fill": try await fill(store, limit: UInt(arguments[3]) ?? 0)
            case "hold": hold()
            case "measure": try await measure(store, path: arguments[2], count: Int(arguments[3]) ?? 0)
            default: fatalError("unknown \(arguments[1])")
            }
            store.close()
        } catch let error as StoreError {
            say("failed \(error.code.rawValue): \(error.message)")
            exit(3)
        }
    }

    static func write(_ store: SQLiteStore) async throws {
        for number in 1... {
            try await save(number, in: store)
            say("\(number)")
        }
    }

    static func fill(_ store: SQLiteStore, limit: UInt) async throws {
        signal(SIGXFSZ, SIG_IGN)
        setFileLimit(limit)
        var acknowledged = 0
        do {
            while true {
                try await save(acknowledged + 1, in: store)
                acknowledged += 1
            }
        } catch let error as StoreError {
            say("full \(error.code.rawValue) \(acknowledged)")
        }
        say("read \(try await store.read { try $0.environments().count })")
        setFileLimit(UInt.max)
        try await save(acknowledged + 1, in: store)
        say("again \(try await store.read { try $0.environments().count })")
    }

    static func hold() {
        say("open")
        while readLine() != nil {}
    }

    /// One transaction with three records that belong together.
    static func save(_ number: Int, in store: SQLiteStore) async throws {
        let environment = EnvironmentRecord(
            id: EnvironmentID(rawValue: "env-\(number)"), name: "shop-\(number)", mode: .isolated,
            spec: BlueprintSpec(name: "shop", description: String(repeating: "x", count: 3_000), services: []),
            difference: Difference(entries: []), createdAt: Int64(number))
        try await store.write { writing in
            try writing.save(environment)
            try writing.append(
                AuditEntry(time: 1, actor: "owner", action: "create", subject: "\(number)", outcome: "accepted"))
            try writing.set("last", to: "\(number)")
        }
    }

    static func setFileLimit(_ bytes: UInt) {
        var limit = rlimit()
        guard getrlimit(__rlimit_resource_t(RLIMIT_FSIZE.rawValue), &limit) == 0 else { fatalError("getrlimit") }
        limit.rlim_cur = min(rlim_t(bytes), limit.rlim_max)
        guard setrlimit(__rlimit_resource_t(RLIMIT_FSIZE.rawValue), &limit) == 0 else { fatalError("setrlimit") }
    }

    /// At once, so that a line that was read stands for something that happened.
    static func say(_ line: String) {
        FileHandle.standardOutput.write(Data("\(line)\n".utf8))
    }
}
