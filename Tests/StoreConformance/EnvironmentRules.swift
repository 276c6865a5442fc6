import Blueprints
import EnvironmentGraph
import Storage

extension StoreConformance {
    static let environments = [
        StoreRule("an environment comes back as it was saved, by id and by name") { store in
            var shop = Samples.environment("shop")
            try shop.move(to: .planning, message: "two\nlines")
            let saved = shop
            try await store.write { try $0.save(saved) }
            try expect(try await store.read { try $0.environment(saved.id) }, is: saved, "by id")
            try expect(try await store.read { try $0.environment(named: "shop") }, is: saved, "by name")
            try expect(try await store.read { try $0.environment(named: "Shop") }, is: nil, "names are exact")
            try expect(try await store.read { try $0.environment(EnvironmentID(rawValue: "env-no")) }, is: nil, "no id")
        },
        StoreRule("saving again replaces, and is the same done twice") { store in
            let shop = Samples.environment("shop")
            var renamed = shop
            renamed.name = "store"
            renamed.revision = 2
            let second = renamed
            try await store.write { writing in
                try writing.save(shop)
                try writing.save(shop)
            }
            try expect(try await store.read { try $0.environments() }, is: [shop], "once")
            try await store.write { writing in
                try writing.save(second)
                try expect(try writing.environment(second.id), is: second, "seen by its own transaction")
            }
            try expect(try await store.read { try $0.environments() }, is: [second], "replaced")
            try expect(try await store.read { try $0.environment(named: "shop") }, is: nil, "the old name is free")
        },
        StoreRule("environments and children are sorted by name") { store in
            let base = Samples.environment("m")
            let names = ["zeta", "alpha", "mid-1", "mid"]
            try await store.write { writing in
                try writing.save(base)
                for (number, name) in names.enumerated() {
                    try writing.save(Samples.environment(name, id: "env-\(number)", parent: base))
                }
            }
            let all = try await store.read { try $0.environments().map(\.name) }
            try expect(all, is: ["alpha", "m", "mid", "mid-1", "zeta"], "all")
            let children = try await store.read { try $0.children(of: base.id).map(\.name) }
            try expect(children, is: ["alpha", "mid", "mid-1", "zeta"], "children")
            // "mid" is part of another's id as well.
            for (id, wanted) in [("ov-mid", ["mid"]), ("ov", []), ("ov-m", []), ("ov-\"mid", [])] {
                let found = try await store.read { try $0.overlays(withOverlayID: id).map(\.name) }
                try expect(found, is: wanted, "overlays with the id \(id)")
            }
        },
        StoreRule("a version grows with every saving, and is never given twice") { store in
            let shop = Samples.environment("shop")
            let other = Samples.environment("other", id: "env-other")
            try await store.write { writing in
                try writing.save(shop)
                try writing.save(other)
            }
            let first = try await store.read { try $0.versions() }
            try expect(Set(first.keys), is: [shop.id, other.id], "of all that exist")
            try expect(try await store.read { try $0.names() }, is: [shop.id: "shop", other.id: "other"], "names")
            try expect(try await store.read { try $0.versions() }, is: first, "reading changes nothing")
            try await store.write { try $0.save(shop) }
            let second = try await store.read { try $0.versions() }
            try expect((second[shop.id] ?? 0) > (first[shop.id] ?? 0), is: true, "grows")
            try expect(second[other.id], is: first[other.id], "the other's stays")
            var taken: Int64 = 0
            do {
                try await store.write { writing in
                    try writing.save(shop)
                    throw RuleBroken(description: "\(try writing.versions()[shop.id] ?? 0)")
                }
            } catch let error as RuleBroken {
                taken = Int64(error.description) ?? 0
            }
            try expect(try await store.read { try $0.versions() }, is: second, "what was taken back has no version")
            try await store.write { try $0.save(shop) }
            let third = try await store.read { try $0.versions() }
            try expect((third[shop.id] ?? 0) > taken, is: true, "one that was taken back is not given again")
            try await store.write { try $0.removeEnvironment(shop.id) }
            try expect(try await store.read { Set(try $0.versions().keys) }, is: [other.id], "gone")
        },
        StoreRule("pages and outlines say what the records say") { store in
            let base = Samples.environment("m")
            try await store.write { writing in
                try writing.save(base)
                for (number, name) in ["z", "a", "k"].enumerated() {
                    try writing.save(Samples.environment(name, id: "env-\(number)", parent: base))
                }
            }
            let page = try await store.read { try $0.environments(after: "a", modes: [.overlay], limit: 1).map(\.name) }
            try expect(page, is: ["k"], "one overlay after a")
            let modes: Set<EnvironmentMode> = [.baseline, .overlay]
            let all = try await store.read { try $0.environments(after: "", modes: modes, limit: 9).map(\.name) }
            try expect(all, is: ["a", "k", "m", "z"], "all")
            let wanted = EnvironmentOutline(id: base.id, state: base.state, wantedInstances: base.wantedInstances)
            try expect(try await store.read { try $0.outline(of: base.id) }, is: wanted, "outline")
            try expect(try await store.read { try $0.outlines().count }, is: 4, "outlines")
        },
        StoreRule("only direct children are children") { store in
            let base = Samples.environment("base")
            let overlay = Samples.environment("overlay", parent: base)
            let leaf = Samples.environment("leaf", parent: overlay)
            try await store.write { writing in for each in [base, overlay, leaf] { try writing.save(each) } }
            try expect(try await store.read { try $0.children(of: base.id).map(\.name) }, is: ["overlay"], "of base")
            try expect(try await store.read { try $0.children(of: leaf.id).map(\.name) }, is: [], "of a leaf")
        },
        StoreRule("a name belongs to one environment") { store in
            let first = Samples.environment("shop", id: "env-1")
            let second = Samples.environment("shop", id: "env-2")
            let other = Samples.environment("other", id: "env-2")
            try await store.write { writing in
                try writing.save(first)
                try expect(.nameTaken) { try writing.save(second) }
                // A refused name leaves the transaction usable.
                try writing.save(other)
                try expect(.nameTaken) { try writing.save(second) }
            }
            try expect(try await store.read { try $0.environments() }, is: [other, first], "both as they were")
        },
        StoreRule("a deleted environment is not listed, and its name is free") { store in
            var gone = Samples.environment("shop", id: "env-1")
            try gone.move(to: .deleting)
            try gone.move(to: .deleted)
            let deleted = gone
            let next = Samples.environment("shop", id: "env-2")
            try await store.write { writing in
                try writing.save(deleted)
                try writing.save(next)
            }
            try expect(try await store.read { try $0.environments() }, is: [next], "listed")
            try expect(try await store.read { try $0.environment(named: "shop") }, is: next, "by name")
        },
        StoreRule("revisions are kept side by side") { store in
            let shop = Samples.environment("shop")
            let revisions = (1...3).map { number in
                RevisionRecord(
                    environment: shop.id, number: number, source: "name: shop # \(number)\n\tü", composed: "{}",
                    files: ["db/init.sql": "SELECT '\u{0}';"], createdAt: Int64(number))
            }
            try await store.write { writing in
                // Before what they belong to: order within a transaction does not matter.
                for revision in revisions + revisions { try writing.save(revision) }
                try writing.save(shop)
            }
            try expect(try await store.read { try $0.revision(2, of: shop.id) }, is: revisions[1], "the second")
            try expect(try await store.read { try $0.revision(4, of: shop.id) }, is: nil, "none")
            let listed = try await store.read { try $0.revisions(of: shop.id) }
            let brief = revisions.map { revision in
                var brief = revision
                (brief.source, brief.composed, brief.files) = ("", "", [:])
                return brief
            }
            try expect(listed, is: brief, "all of them, without what is large")
            try expect(try await store.read { try $0.revisions(of: EnvironmentID(rawValue: "env-x")) }, is: [], "none")
        },
        StoreRule("claims are held by what is saved and local, and go with it") { store in
            var shop = Samples.environment("shop")
            shop.spec.services[0].claims = ["queue:a", "queue:b"]
            shop.spec.services[1].claims = ["queue:b"]
            var feat = Samples.environment("feat", parent: shop)
            feat.spec = shop.spec
            feat.difference = Difference(
                entries: [.init(service: "service-0", kind: .inherited), .init(service: "service-1", kind: .changed)])
            let (base, overlay) = (shop, feat)
            try await store.write { writing in
                try writing.save(base)
                try writing.save(overlay)
                try writing.save(base)
            }
            func holder(_ claim: String, _ environment: EnvironmentRecord, _ service: Int) -> ClaimHolder {
                ClaimHolder(claim: claim, environment: environment.id, service: "service-\(service)")
            }
            let both = [
                holder("queue:a", base, 0), holder("queue:b", overlay, 1), holder("queue:b", base, 0),
                holder("queue:b", base, 1),
            ]
            let claims: Set = ["queue:a", "queue:b", "queue:c"]
            try expect(try await store.read { try $0.holders(of: claims) }, is: both, "all")
            try expect(try await store.read { try $0.holders(of: ["queue:c"]) }, is: [], "nobody")
            var changed = shop
            changed.spec.services[0].claims = []
            let after = changed
            try await store.write { writing in
                try writing.save(after)
                try writing.removeEnvironment(overlay.id)
            }
            try expect(try await store.read { try $0.holders(of: claims) }, is: [holder("queue:b", base, 1)], "left")
        },
        StoreRule("removing an environment removes what is its own, and keeps its executions") { store in
            let shop = Samples.environment("shop")
            let other = Samples.environment("other")
            let execution = Samples.execution("exe-1", of: shop)
            let kept = Samples.execution("exe-2", of: other)
            let port = PortAssignment(environment: shop.id, purpose: .service("db", port: "sql"), number: 40_001)
            try await store.write { writing in
                for each in [shop, other] { try writing.save(each) }
                try writing.save(
                    RevisionRecord(
                        environment: shop.id, number: 1, source: "", composed: "", files: [:], createdAt: 1))
                for each in [execution, kept] { try writing.save(each) }
                try writing.save(port)
                try writing.save(SealedSecret(environment: shop.id, service: "db", name: "password", sealed: [1]))
            }
            try await store.write { try $0.removeEnvironment(shop.id) }
            // Removing what is not there is no error.
            try await store.write { try $0.removeEnvironment(shop.id) }
            try await store.read { reading in
                try expect(try reading.environments(), is: [other], "environments")
                try expect(try reading.environment(shop.id), is: nil, "itself")
                try expect(try reading.revision(1, of: shop.id), is: nil, "revisions")
                try expect(try reading.portsInUse(), is: [], "ports")
                try expect(try reading.secrets(of: shop.id), is: [], "secrets")
                try expect(try reading.execution(execution.id), is: execution, "its execution with the steps")
                try expect(try reading.execution(kept.id), is: kept, "another's execution")
            }
        },
    ]
}
