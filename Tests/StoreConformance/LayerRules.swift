import Blueprints
import EnvironmentGraph
import Storage

extension StoreConformance {
    static let layers = [
        StoreRule("a layer's revisions are numbered and never change") { store in
            @Sendable func layer(_ name: String, _ number: Int) -> LayerRecord {
                LayerRecord(
                    name: name, number: number, source: "sealed \(number) \u{0}é", file: "\(name).yaml", folder: "/l",
                    files: ["/l/a.sql": "sealed"], extends: ["base@2"], description: "d", createdAt: 7, actor: "owner")
            }
            try await store.write { writing in
                for each in [layer("org", 1), layer("team", 1), layer("org", 2)] { try writing.save(each) }
                try expect(.nameTaken) { try writing.save(layer("org", 2)) }
                try expect(.nameTaken) { try writing.save(layer("org", 1)) }
            }
            let (all, newest, first, none) = try await store.read { reading in
                (
                    try reading.layers(), try reading.layer("org", revision: nil),
                    try reading.layer("org", revision: 1),
                    try reading.layer("org", revision: 3)
                )
            }
            try expect(all, is: [layer("org", 2), layer("team", 1)], "the newest of each, by name")
            try expect(newest, is: layer("org", 2), "the newest")
            try expect(first, is: layer("org", 1), "the first")
            try expect(none, is: nil, "one that there never was")
            let revisions = try await store.read { try $0.layerRevisions(of: "org") }
            try expect(revisions, is: [layer("org", 1), layer("org", 2)], "oldest first")
            try expect(try await store.read { try $0.lastLayerNumber(of: "nix") }, is: 0, "never")
            // A number is given once.
            try await store.write { try $0.removeLayer("org") }
            let (gone, last) = try await store.read { reading in
                (try reading.layerRevisions(of: "org"), try reading.lastLayerNumber(of: "org"))
            }
            try expect(gone, is: [], "removed")
            try expect(last, is: 2, "the last number stays")
            try await store.write { writing in
                try expect(.nameTaken) { try writing.save(layer("org", 2)) }
                try writing.save(layer("org", 3))
            }
            try expect(try await store.read { try $0.layers().map(\.number) }, is: [3, 1], "registered again")
        },
        StoreRule("who is composed of a layer is known until it is gone") { store in
            let shop = Samples.environment("shop")
            let other = Samples.environment("other")
            let org = SourceOrigin(.layer, "org", revision: 1)
            @Sendable func revision(_ of: EnvironmentRecord, _ number: Int, _ layers: [SourceOrigin]?) -> RevisionRecord
            {
                RevisionRecord(
                    environment: of.id, number: number, source: "", composed: "", files: [:], createdAt: 1,
                    layers: layers)
            }
            try await store.write { writing in
                for each in [shop, other] { try writing.save(each) }
                try writing.save(revision(shop, 1, [org, SourceOrigin(.layer, "team", revision: 4)]))
                try writing.save(revision(shop, 2, [SourceOrigin(.layer, "org", revision: 2)]))
                try writing.save(revision(other, 1, [org]))
                // The same number again says anew what it is composed of.
                try writing.save(revision(other, 1, nil))
            }
            let (uses, team) = try await store.read { reading in
                (try reading.uses(ofLayer: "org"), try reading.uses(ofLayer: "team"))
            }
            let wanted = [LayerUse(environment: shop.id, number: 1), LayerUse(environment: shop.id, number: 2)]
            try expect(uses, is: wanted, "by environment and number")
            try expect(team, is: [wanted[0]], "of the other layer")
            try expect(try await store.read { try $0.revision(1, of: shop.id)?.layers?.count }, is: 2, "as saved")
            try await store.write { try $0.removeEnvironment(shop.id) }
            try expect(try await store.read { try $0.uses(ofLayer: "org") }, is: [], "gone with the environment")
        },
    ]
}
