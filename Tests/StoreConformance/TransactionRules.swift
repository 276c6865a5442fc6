import Dispatch
import EnvironmentGraph
import Storage

private struct Abandoned: Error, Equatable {}

/// Blocks a store's own thread until another transaction has got where it should.
private func wait(for signal: DispatchSemaphore, _ what: String) throws {
    guard signal.wait(timeout: .now() + 20) == .success else { throw RuleBroken(description: "\(what) did not come") }
}

extension StoreConformance {
    static let transactions = [
        StoreRule("of a transaction that throws, nothing remains, and its error comes out") { store in
            let shop = Samples.environment("shop")
            var changed = shop
            changed.message = "changed"
            let second = changed
            try await store.write { try $0.save(shop) }
            do {
                try await store.write { writing in
                    try writing.save(second)
                    try writing.save(Samples.environment("other"))
                    try writing.save(Samples.execution("exe-1", of: shop))
                    try writing.set("a", to: "1")
                    try writing.removeEnvironment(shop.id)
                    throw Abandoned()
                }
                throw RuleBroken(description: "did not throw")
            } catch is Abandoned {}
            try await store.read { reading in
                try expect(try reading.environments(), is: [shop], "environments")
                try expect(try reading.environment(shop.id), is: shop, "by id")
                try expect(try reading.unfinishedExecutions(), is: [], "executions")
                try expect(try reading.setting("a"), is: nil, "settings")
            }
            try await store.write { try $0.set("a", to: "2") }
            try expect(try await store.read { try $0.setting("a") }, is: "2", "the store goes on")
        },
        StoreRule("a refused name that nobody catches undoes the transaction") { store in
            try await store.write { try $0.save(Samples.environment("shop", id: "env-1")) }
            do {
                try await store.write { writing in
                    try writing.set("a", to: "1")
                    try writing.save(Samples.environment("shop", id: "env-2"))
                }
                throw RuleBroken(description: "the name was given twice")
            } catch let error as StoreError {
                try expect(error.code, is: .nameTaken, "code")
            }
            try expect(try await store.read { try $0.setting("a") }, is: nil, "undone")
        },
        StoreRule("a transaction reads what it wrote") { store in
            let shop = Samples.environment("shop")
            try await store.write { writing in
                try writing.save(shop)
                try writing.save(Samples.execution("exe-1", of: shop))
                try expect(try writing.environments(), is: [shop], "environments")
                try expect(try writing.unfinishedExecutions().count, is: 1, "executions")
                try writing.removeEnvironment(shop.id)
                try expect(try writing.environment(shop.id), is: nil, "removed")
            }
        },
        StoreRule("a read does not wait for a write, and keeps its one state while the write goes through") { store in
            try await store.write { try $0.set("a", to: "old") }
            let (writing, reading, written) = (
                DispatchSemaphore(value: 0), DispatchSemaphore(value: 0), DispatchSemaphore(value: 0)
            )
            async let write: Void = {
                try await store.write { transaction in
                    try transaction.set("a", to: "new")
                    writing.signal()
                    try wait(for: reading, "a read beside the write")
                }
                written.signal()
            }()
            let seen = try await store.read { transaction in
                try wait(for: writing, "the write")
                let before = try transaction.setting("a")
                reading.signal()
                try wait(for: written, "the write's end")
                return [before, try transaction.setting("a")]
            }
            try await write
            try expect(seen, is: ["old", "old"], "before and after the write's end")
            try expect(try await store.read { try $0.setting("a") }, is: "new", "the next read")
        },
        StoreRule("a cancelled task's write is done all the same") { store in
            let task = Task {
                withUnsafeCurrentTask { $0?.cancel() }
                try await store.write { try $0.set("a", to: "1") }
            }
            try await task.value
            try expect(try await store.read { try $0.setting("a") }, is: "1", "written")
        },
        StoreRule("many tasks at once: every write counts, every read sees one state") { store in
            try await store.write { writing in
                try writing.set("left", to: "0")
                try writing.set("right", to: "0")
            }
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<50 {
                    group.addTask {
                        try await store.write { writing in
                            let next = (Int(try writing.setting("left") ?? "") ?? -1) + 1
                            try writing.set("left", to: String(next))
                            try writing.set("right", to: String(next))
                        }
                    }
                    group.addTask {
                        try await store.read { reading in
                            try expect(try reading.setting("left"), is: try reading.setting("right"), "one state")
                        }
                    }
                }
                try await group.waitForAll()
            }
            try expect(try await store.read { try $0.setting("left") }, is: "50", "no write was lost")
        },
        StoreRule("many tasks want one name: one has it") { store in
            let winners = try await withThrowingTaskGroup(of: Int.self) { group in
                for number in 0..<50 {
                    group.addTask {
                        do {
                            try await store.write { try $0.save(Samples.environment("shop", id: "env-\(number)")) }
                            return 1
                        } catch let error as StoreError where error.code == .nameTaken {
                            return 0
                        }
                    }
                }
                return try await group.reduce(0, +)
            }
            try expect(winners, is: 1, "winners")
        },
    ]
}
