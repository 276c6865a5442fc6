import Blueprints
import EnvironmentGraph
import Testing

/// The laws of comparing, applying and rebasing, on random Blueprints that were read and composed as a person's are.
@Suite struct ComparingLawTests {
    /// Composed and checked; those that do not hold together are left out.
    private struct World {
        var random: SeededRandom
        var baselines: [(document: BlueprintDocument, spec: BlueprintSpec)] = []

        init(seed: UInt64, count: Int) {
            random = SeededRandom(state: seed)
            while baselines.count < count {
                let text = RandomShops.baseline(&random)
                guard let document = ComparingLawTests.read(text, "shop.yaml") else { continue }
                guard let spec = Blueprint.check(document, mode: .baseline).spec else { continue }
                baselines.append((document, spec))
            }
        }
    }

    private static func read(_ text: String, _ file: String) -> BlueprintDocument? {
        Blueprint.read(Array(text.utf8), file: file, folder: "/shop").document
    }

    @Test func differencesAreEmptyWithOneselfAndApply() {
        var world = World(seed: 5, count: 60)
        var changed = 0
        for number in 0..<10_000 {
            let (old, new) = (world.random.pick(world.baselines).spec, world.random.pick(world.baselines).spec)
            let difference = new.difference(from: old)
            let applied = difference.applied(to: old.serviceFields)
            #expect(applied == new.serviceFields, "case \(number)")
            #expect(new.difference(from: new).isEmpty)
            if !difference.isEmpty { changed += 1 }
            // What differs is what the stored difference says, but for what follows over TCP.
            let stored = Difference.between(request: new, parent: old).entries.filter { $0.kind == .changed }
            let changes = difference.services.filter { $0.kind == .changed }.map(\.changes)
            #expect(stored.map(\.changes) == changes, "case \(number)")
        }
        #expect(changed > 9000)
    }

    /// A record forgets nothing that a spec says, and makes no difference of what means the same.
    @Test func recordsAreEqualWhereServicesMeanTheSame() {
        var world = World(seed: 6, count: 80)
        for _ in 0..<10_000 {
            guard let mine = world.random.pick(world.baselines).spec.services.randomElement(using: &world.random),
                var theirs = world.random.pick(world.baselines).spec.services.randomElement(using: &world.random)
            else { continue }
            theirs.name = mine.name
            var (left, right) = (mine, theirs)
            left.dependsOn.removeAll { $0.origin != .declared }
            right.dependsOn.removeAll { $0.origin != .declared }
            #expect((ServiceFields(mine) == ServiceFields(theirs)) == (left == right), "\(left) \(right)")
        }
    }

    /// Without collisions, bringing an overlay onto a new parent is composing it over that, but for fields that it says just as
    /// the old parent did.
    @Test func rebasingCommutesWithComposing() throws {
        var world = World(seed: 7, count: 24)
        var (clean, collided) = (0, 0)
        for _ in 0..<90 {
            let text = RandomShops.overlay(&world.random, on: Set(RandomShops.names))
            guard let layer = Self.read(text, "feat.yaml") else { continue }
            // Over every parent that it fits on.
            let composed = world.baselines.compactMap { base -> (base: BlueprintSpec, mine: CheckedBlueprint)? in
                let mine = Blueprint.check(layer, over: base.document, mode: .overlay)
                return mine.spec == nil ? nil : (base.spec, mine)
            }.map { ($0.base.serviceFields, $0.mine.spec?.serviceFields ?? [:], $0.mine.composed) }
            for (base, mine, document) in composed {
                for (theirs, expected, _) in composed {
                    let rebase = Rebase(base: base, mine: mine, theirs: theirs)
                    guard rebase.collisions.isEmpty else {
                        collided += 1
                        continue
                    }
                    clean += 1
                    let difference = FieldDifference.between(rebase.merged, expected)
                    for (service, change) in difference.services.flatMap({ service in
                        service.changes.map { (service.name, $0) }
                    }) {
                        let path = ["services", service] + change.path.split(separator: ".").map(String.init)
                        let said = document.location(nearest: path)
                        #expect(said.file.name == "feat.yaml", "\(change) of \(service)\n\(text)")
                    }
                }
            }
        }
        #expect(clean + collided > 10_000 && min(clean, collided) > 1000, "\(clean) \(collided)")
    }

    @Test func anOverlayOnWhatItStandsOnStaysAsItIs() {
        var world = World(seed: 8, count: 50)
        for _ in 0..<10_000 {
            let (base, mine) = (world.random.pick(world.baselines).spec, world.random.pick(world.baselines).spec)
            let rebase = Rebase(base: base.serviceFields, mine: mine.serviceFields, theirs: base.serviceFields)
            #expect(rebase.collisions.isEmpty)
            #expect(rebase.merged == mine.serviceFields)
            let forward = Rebase(base: base.serviceFields, mine: base.serviceFields, theirs: mine.serviceFields)
            #expect(forward.collisions.isEmpty && forward.merged == mine.serviceFields)
        }
    }

    /// A list that both changed is named as a whole, and never with what is in it.
    @Test func whatCollidesShowsNoPassword() {
        func service(_ password: String, _ script: String) -> [String: ServiceFields] {
            let sql = SQLInitSpec(script: script, user: "app", password: password)
            let spec = ServiceSpec(
                name: "db", command: ["db"], secrets: [SecretSpec(name: "s", envKey: "S", source: .literal(password))],
                initialisers: [.sql(sql)])
            return ["db": ServiceFields(spec)]
        }
        let rebase = Rebase(
            base: service("hunter1", "/a"), mine: service("hunter2", "/b"), theirs: service("hunter3", "/c"))
        let written = rebase.collisions.map(\.written)
        #expect(
            written == [
                "db init was changed here and in the parent",
                "db secrets.s.value was (secret), is (secret) here and (secret) in the parent",
            ])
    }
}
