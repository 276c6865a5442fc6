import EnvironmentGraph
import Storage

extension StoreConformance {
    static let executions = [
        StoreRule("an execution comes back with its steps in order") { store in
            let shop = Samples.environment("shop")
            let first = Samples.execution("exe-1", of: shop, steps: ["z", "a", "m"])
            var changed = first
            changed.steps.removeFirst()
            changed.state = .failed
            changed.error = "no"
            changed.finishedAt = 9
            let second = changed
            try await store.write { writing in
                try writing.save(shop)
                try writing.save(first)
            }
            try expect(try await store.read { try $0.execution(first.id) }, is: first, "as saved")
            try await store.write { writing in
                try writing.save(second)
                try writing.save(second)
            }
            try expect(try await store.read { try $0.execution(first.id) }, is: second, "replaced, steps too")
            try expect(try await store.read { try $0.executions(of: shop.id) }, is: [second], "once")
            try expect(try await store.read { try $0.execution(ExecutionID(rawValue: "exe-no")) }, is: nil, "no id")
        },
        StoreRule("executions are listed oldest first") { store in
            let shop = Samples.environment("shop")
            let other = Samples.environment("other")
            try await store.write { writing in
                for each in [shop, other] { try writing.save(each) }
                try writing.save(Samples.execution("exe-c", of: shop, createdAt: 30))
                try writing.save(Samples.execution("exe-b", of: shop, createdAt: 10))
                try writing.save(Samples.execution("exe-a", of: shop, state: .succeeded, createdAt: 20))
                try writing.save(Samples.execution("exe-d", of: other, createdAt: 5))
            }
            let ids = try await store.read { try $0.executions(of: shop.id).map(\.id.rawValue) }
            try expect(ids, is: ["exe-b", "exe-a", "exe-c"], "by time")
            let last = try await store.read { try $0.lastExecution(of: shop.id)?.id.rawValue }
            try expect(last, is: "exe-c", "the last")
            let none = try await store.read { try $0.lastExecution(of: Samples.environment("third").id) }
            try expect(none, is: nil, "none")
        },
        StoreRule("unfinished executions are all that are not final") { store in
            let shop = Samples.environment("shop")
            try await store.write { writing in
                try writing.save(shop)
                for (number, state) in ExecutionRecord.State.allCases.enumerated() {
                    try writing.save(
                        Samples.execution("exe-\(state)", of: shop, state: state, createdAt: Int64(100 - number)))
                }
            }
            let found = try await store.read { try $0.unfinishedExecutions().map(\.state) }
            try expect(found, is: [.compensating, .running, .pending], "oldest first")
            let finished = Samples.execution("exe-running", of: shop, state: .undone)
            try await store.write { try $0.save(finished) }
            let left = try await store.read { try $0.unfinishedExecutions().map(\.state) }
            try expect(left, is: [.compensating, .pending], "one was finished")
        },
        StoreRule("a step is replaced by its key, the others stay") { store in
            let shop = Samples.environment("shop")
            let execution = Samples.execution("exe-1", of: shop)
            let twin = Samples.execution("exe-2", of: shop)
            var done = execution.steps[1]
            done.state = .succeeded
            done.attempt = 2
            done.message = "done"
            done.startedAt = 5
            done.finishedAt = 6
            let step = done
            try await store.write { writing in
                try writing.save(shop)
                for each in [execution, twin] { try writing.save(each) }
                try writing.save(step, of: execution.id)
                try writing.save(step, of: execution.id)
            }
            let steps = try await store.read { try $0.execution(execution.id)?.steps }
            try expect(steps, is: [execution.steps[0], step, execution.steps[2]], "the second")
            try expect(try await store.read { try $0.execution(twin.id) }, is: twin, "the same key elsewhere")
        },
        StoreRule("the step that removed its environment can be saved, and its execution finished") { store in
            let shop = Samples.environment("shop")
            let execution = Samples.execution("exe-1", of: shop)
            try await store.write { writing in
                try writing.save(shop)
                try writing.save(execution)
                try writing.removeEnvironment(shop.id)
            }
            try await store.write { try $0.save(execution.steps[2], of: execution.id) }
            let unfinished = try await store.read { try $0.unfinishedExecutions().map(\.id) }
            try expect(unfinished, is: [execution.id], "still to be finished")
            let finished = Samples.execution("exe-1", of: shop, state: .succeeded)
            try await store.write { try $0.save(finished) }
            try expect(try await store.read { try $0.executions(of: shop.id) }, is: [finished], "finished")
        },
        StoreRule("a step that does not exist is not saved in silence") { store in
            let shop = Samples.environment("shop")
            let execution = Samples.execution("exe-1", of: shop)
            try await store.write { writing in
                try writing.save(shop)
                try writing.save(execution)
            }
            do {
                try await store.write { try $0.save(StepRecord(plan: Samples.step("unknown")), of: execution.id) }
            } catch is StoreError {
                return
            }
            throw RuleBroken(description: "a checkpoint was lost")
        },
    ]
}
