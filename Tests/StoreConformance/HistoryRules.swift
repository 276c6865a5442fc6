import EnvironmentGraph
import Storage

extension StoreConformance {
    static let history = [
        StoreRule("claiming an execution counts up, and saving it does not") { store in
            let shop = Samples.environment("shop")
            let execution = Samples.execution("exe-1", of: shop)
            try await store.write { writing in
                try writing.save(shop)
                try writing.save(execution)
            }
            try expect(try await store.read { try $0.epoch(of: execution.id) }, is: 0, "nobody yet")
            try expect(try await store.write { try $0.claim(execution.id) }, is: 1, "the first")
            try await store.write { try $0.save(execution) }
            try expect(try await store.write { try $0.claim(execution.id) }, is: 2, "the second")
            try expect(try await store.read { try $0.epoch(of: execution.id) }, is: 2, "as claimed")
            try expect(try await store.read { try $0.epoch(of: ExecutionID(rawValue: "exe-no")) }, is: nil, "no id")
            try await store.write { writing in
                try expect(.ioError) { _ = try writing.claim(ExecutionID(rawValue: "exe-no")) }
            }
        },
        StoreRule("of an environment's executions the newest are kept, and those that go on") { store in
            let (shop, other) = (Samples.environment("shop"), Samples.environment("other"))
            try await store.write { writing in
                for each in [shop, other] { try writing.save(each) }
                try writing.save(Samples.execution("exe-0", of: shop, state: .running, createdAt: 0))
                for number in 1...5 {
                    let time = Int64(number)
                    try writing.save(Samples.execution("exe-\(number)", of: shop, state: .failed, createdAt: time))
                }
                try writing.save(Samples.execution("exe-9", of: other, state: .failed, createdAt: 1))
                try writing.removeExecutions(of: shop.id, keepingLast: 2)
            }
            let left = try await store.read { try $0.executions(of: shop.id).map(\.id.rawValue) }
            try expect(left, is: ["exe-0", "exe-4", "exe-5"], "the newest two and what runs")
            try expect(try await store.read { try $0.executions(of: other.id).count }, is: 1, "another's")
        },
        StoreRule("events come back in the order in which they were appended, from any place on") { store in
            let shop = EnvironmentID(rawValue: "env-shop")
            let other = EnvironmentID(rawValue: "env-other")
            try await store.write { writing in
                for number in 1...5 { try writing.append(event(shop, "shop \(number)", time: Int64(10 - number))) }
                try writing.append(event(other, "other", time: 1))
            }
            let newest = try await store.read { try $0.events(of: shop, after: nil, limit: 2) }
            try expect(newest.map(\.message), is: ["shop 4", "shop 5"], "the newest two")
            let all = try await store.read { try $0.events(of: shop, after: 0, limit: 100) }
            try expect(all.map(\.message), is: (1...5).map { "shop \($0)" }, "all")
            let later = try await store.read { try $0.events(of: shop, after: all[1].sequence, limit: 2) }
            try expect(later.map(\.message), is: ["shop 3", "shop 4"], "the first two after the second")
            let everyone = try await store.read { try $0.events(of: nil, after: nil, limit: 1) }
            try expect(everyone.map(\.message), is: ["other"], "of all environments")
        },
        StoreRule("of each environment's events the newest are kept, also when it is gone") { store in
            let shop = Samples.environment("shop")
            let other = EnvironmentID(rawValue: "env-other")
            let count = EventRecord.keptPerEnvironment + 100
            try await store.write { writing in
                try writing.save(shop)
                try writing.append(event(other, "kept", time: 1))
                for number in 1...count { try writing.append(event(shop.id, "\(number)", time: 1)) }
                try writing.removeEnvironment(shop.id)
            }
            let kept = try await store.read { try $0.events(of: shop.id, after: 0, limit: count) }
            try expect(kept.last?.message, is: "\(count)", "the newest")
            let bound = EventRecord.keptPerEnvironment...(EventRecord.keptPerEnvironment + 40)
            try expect(bound.contains(kept.count), is: true, "bounded: \(kept.count)")
            try expect(try await store.read { try $0.events(of: other, after: 0, limit: 9).count }, is: 1, "others'")
        },
        StoreRule("a deviation has one record, which goes with its environment") { store in
            let shop = Samples.environment("shop")
            var seen = DeviationRecord(
                environment: shop.id, service: "api", kind: .processEnded, message: "exited with 3", firstSeenAt: 5,
                lastSeenAt: 5)
            let first = seen
            seen.count = 2
            seen.lastSeenAt = 7
            seen.state = .mended
            let second = seen
            let stray = DeviationRecord(
                environment: EnvironmentID(rawValue: "env-nobody"), service: nil, kind: .orphan, message: "a folder",
                firstSeenAt: 6, lastSeenAt: 6)
            try await store.write { writing in
                try writing.save(shop)
                try writing.save(first)
                try writing.save(stray)
                try writing.save(second)
            }
            try expect(try await store.read { try $0.deviations(of: shop.id) }, is: [second], "of one")
            try expect(try await store.read { try $0.deviations(of: nil) }, is: [second, stray], "of all, last first")
            try await store.write { try $0.removeEnvironment(shop.id) }
            try expect(try await store.read { try $0.deviations(of: nil) }, is: [stray], "an orphan has no environment")
            try await store.write { try $0.removeDeviations(of: stray.environment) }
            try expect(try await store.read { try $0.deviations(of: nil) }, is: [], "none")
        },
        StoreRule("what was seen of calls is kept by scope, also when the environment is gone") { store in
            let shop = Samples.environment("shop")
            var own = ObservedCalls(scope: shop.id.rawValue, lineage: "shop")
            _ = own.take([(nil, "web", 3), ("web", "api", 2)], countedSince: 1, now: 86_400_000)
            let gone = ObservedCalls(scope: "lineage/shop", lineage: "shop")
            let other = ObservedCalls(scope: "env-z", lineage: "other")
            try await store.write { [own] writing in
                try writing.save(shop)
                for each in [other, own, gone] { try writing.save(each) }
                try writing.removeEnvironment(shop.id)
            }
            try expect(try await store.read { try $0.observedCalls(in: shop.id.rawValue) }, is: own, "one")
            try expect(try await store.read { try $0.observedCalls(in: "env-no") }, is: nil, "none")
            let lineage = try await store.read { try $0.observedCalls(ofLineage: "shop", limit: 9) }
            try expect(lineage, is: [own, gone].sorted { $0.scope < $1.scope }, "of a lineage")
            try expect(
                try await store.read { try $0.observedCalls(ofLineage: "shop", limit: 1).count }, is: 1, "bounded")
            _ = own.take([(nil, "web", 5)], countedSince: 1, now: 86_400_000)
            try await store.write { [own] writing in
                try writing.save(own)
                try writing.removeObservedCalls(in: other.scope)
            }
            try expect(try await store.read { try $0.observedCalls(in: shop.id.rawValue) }, is: own, "replaced")
            let scopes = try await store.read { try $0.observedScopes() }
            try expect(scopes, is: [own.scope, gone.scope].sorted(), "all")
        },
        StoreRule("single ports can be given back, but not another environment's") { store in
            let (shop, other) = (Samples.environment("shop"), Samples.environment("other"))
            try await store.write { writing in
                for each in [shop, other] { try writing.save(each) }
                for number in [20_001, 20_002] {
                    let purpose = PortAssignment.Purpose.service("s\(number)", port: "http")
                    try writing.save(PortAssignment(environment: shop.id, purpose: purpose, number: number))
                }
                let purpose = PortAssignment.Purpose.service("s", port: "http")
                try writing.save(PortAssignment(environment: other.id, purpose: purpose, number: 20_003))
                try writing.removePorts(of: shop.id, numbers: [20_001, 20_003])
            }
            try expect(try await store.read { try $0.portsInUse() }, is: [20_002, 20_003], "the others")
        },
    ]

    private static func event(_ id: EnvironmentID, _ message: String, time: Int64) -> EventRecord {
        EventRecord(time: time, environment: id, name: "shop", kind: .state, message: message)
    }
}
