import EnvironmentGraph
import Storage

extension StoreConformance {
    static let resources = [
        StoreRule("a port belongs to one purpose") { store in
            let shop = Samples.environment("shop")
            let other = Samples.environment("other")
            let own = PortAssignment(environment: shop.id, purpose: .service("db", port: "sql"), number: 40_002)
            let address = PortAssignment(
                environment: shop.id, purpose: .address(caller: nil, service: "web", port: "http"), number: 40_001)
            let called = PortAssignment(
                environment: shop.id, purpose: .address(caller: "cart", service: "web", port: "http"), number: 40_003)
            let foreign = PortAssignment(environment: other.id, purpose: own.purpose, number: 40_002)
            var moved = own
            moved.number = 40_001
            var free = own
            free.number = 40_009
            let (toTaken, toFree) = (moved, free)
            try await store.write { writing in
                for each in [shop, other] { try writing.save(each) }
                for each in [own, own, address, called] { try writing.save(each) }
                try expect(.portTaken) { try writing.save(foreign) }
                try expect(.portTaken) { try writing.save(toTaken) }
            }
            let saved = try await store.read { try $0.ports(of: shop.id) }
            try expect(saved, is: [address, own, called], "sorted by port")
            try expect(try await store.read { try $0.portsInUse() }, is: [40_001, 40_002, 40_003], "in use")
            try await store.write { try $0.save(toFree) }
            try await store.write { try $0.save(foreign) }
            try expect(try await store.read { try $0.portsInUse() }, is: [40_001, 40_002, 40_003, 40_009], "moved")
            try await store.write { try $0.removePorts(of: shop.id) }
            try expect(try await store.read { try $0.ports(of: shop.id) }, is: [], "removed")
            try expect(try await store.read { try $0.ports(of: other.id) }, is: [foreign], "another's stays")
        },
        StoreRule("secrets are bytes, one per environment, service and name") { store in
            let shop = Samples.environment("shop")
            let first = SealedSecret(environment: shop.id, service: "db", name: "b", sealed: [0, 255, 0, 10])
            let second = SealedSecret(environment: shop.id, service: "db", name: "a", sealed: [])
            let newer = SealedSecret(environment: shop.id, service: "db", name: "b", sealed: [7])
            try await store.write { writing in
                try writing.save(shop)
                try writing.save(first)
                try writing.save(second)
            }
            try expect(try await store.read { try $0.secrets(of: shop.id) }, is: [second, first], "as saved")
            try await store.write { try $0.save(newer) }
            try expect(try await store.read { try $0.secrets(of: shop.id) }, is: [second, newer], "replaced")
        },
        StoreRule("idempotent replies are kept until they are too old") { store in
            let replies = (1...3).map { number in
                IdempotentReply(
                    key: "key-\(number)", fingerprint: "f\(number)", status: 202, body: "{\"n\":\"\u{0}é\"}",
                    createdAt: Int64(number * 10))
            }
            try await store.write { writing in for reply in replies + replies { try writing.save(reply) } }
            try expect(try await store.read { try $0.idempotentReply("key-2") }, is: replies[1], "as saved")
            try await store.write { try $0.removeIdempotentReplies(before: 20) }
            try expect(try await store.read { try $0.idempotentReply("key-1") }, is: nil, "older")
            try expect(try await store.read { try $0.idempotentReply("key-2") }, is: replies[1], "exactly that old")
            try expect(try await store.read { try $0.idempotentReply("key-4") }, is: nil, "never given")
        },
        StoreRule("the audit gives the newest first") { store in
            let entries = (1...5).map { number in
                AuditEntry(
                    time: 100, actor: "owner", action: "createEnvironment", subject: "env-\(number)",
                    outcome: "accepted")
            }
            try await store.write { writing in for entry in entries { try writing.append(entry) } }
            try expect(try await store.read { try $0.audit(limit: 2) }, is: [entries[4], entries[3]], "two")
            try expect(try await store.read { try $0.audit(limit: 99) }, is: entries.reversed(), "all")
            try expect(try await store.read { try $0.audit(limit: 0) }, is: [], "none")
        },
        StoreRule("settings are set, replaced and removed") { store in
            try await store.write { writing in
                try writing.set("a", to: "1")
                try writing.set("a", to: "")
                try writing.set("b", to: "2")
                try writing.set("c", to: nil)
            }
            try expect(try await store.read { try $0.setting("a") }, is: "", "empty is a value")
            try await store.write { try $0.set("a", to: nil) }
            try expect(try await store.read { try $0.setting("a") }, is: nil, "removed")
            try expect(try await store.read { try $0.setting("b") }, is: "2", "the other")
        },
    ]
}
