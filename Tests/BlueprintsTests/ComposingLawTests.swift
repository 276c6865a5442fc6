import Testing

@testable import Blueprints

/// What holds of composing, whatever is composed. Each law with 10,000 cases from a seed that a failure names.
@Suite struct ComposingLawTests {
    static let cases = 10_000

    @Test func composingIsAssociative() {
        let seed: UInt64 = 20_261
        var trees = RandomTrees(seed: seed)
        for round in 0..<Self.cases {
            let (low, middle, high) = (trees.layer("low"), trees.layer("middle"), trees.layer("high"))
            let left = Composition.compose(high, over: Composition.compose(middle, over: low))
            let right = Composition.compose(Composition.compose(high, over: middle), over: low)
            guard left != right else { continue }
            Issue.record("seed \(seed), round \(round): \(left.shown) ≠ \(right.shown)")
            return
        }
    }

    @Test func composingTwiceIsComposingOnce() {
        let seed: UInt64 = 20_262
        var trees = RandomTrees(seed: seed)
        for round in 0..<Self.cases {
            let (low, high) = (trees.layer("low"), trees.layer("high"))
            let once = Composition.compose(high, over: low)
            let twice = Composition.compose(high, over: once)
            let (left, right) = (Composition.stripped(once), Composition.stripped(twice))
            let again = Composition.stripped(left)
            // What was overridden is counted twice; what is in force is the same, from the same places.
            guard left.withoutHistory != right.withoutHistory || again != left else { continue }
            Issue.record("seed \(seed), round \(round): \(left.shown) ≠ \(right.shown)")
            return
        }
    }

    @Test func nothingRemovesWhatANewerLayerSays() {
        let seed: UInt64 = 20_263
        var trees = RandomTrees(seed: seed)
        for round in 0..<Self.cases {
            let (low, high) = (trees.layer("low"), trees.layer("high"))
            let stored = Composition.stripped(high)
            let composed = Composition.stripped(Composition.compose(high, over: low))
            // Every scalar of the upper layer is in force.
            for (path, value) in stored.scalars where composed.value(at: path)?.content != value.content {
                Issue.record("seed \(seed), round \(round): \(path) is not in force in \(composed.shown)")
                return
            }
        }
    }

    // MARK: Provenance

    /// Texts that were read once, of which stacks are put together at random.
    struct Pool {
        struct File {
            var document: BlueprintDocument
            var places: Places
        }

        var wholes: [File] = []
        var layers: [File] = []
        var parents: [BlueprintDocument] = []
        var places: [String: Places] { files.mapValues(\.places) }
        private(set) var files: [String: File] = [:]
        private var random: SeededRandom

        init(seed: UInt64, count: Int, density: Int = 60) throws {
            var texts = RandomBlueprints(seed: seed, services: ["api", "db"], density: density)
            random = SeededRandom(state: seed)
            for number in 0..<count {
                wholes.append(try add("whole-\(number).yaml", texts.whole()))
                layers.append(try add("layer-\(number).yaml", texts.layer()))
            }
            parents = wholes.map { Blueprint.check($0.document).composed }
        }

        private mutating func add(_ name: String, _ text: String) throws -> File {
            let read = Blueprint.read(Array(text.utf8), file: name, folder: "/\(name.prefix(5))")
            let file = File(document: try #require(read.document, "\(read.diagnostics)"), places: try Places(of: text))
            files[name] = file
            return file
        }

        /// A file over up to two layers, and in every second case over a parent.
        mutating func stack() throws -> (layers: LayerStack, parent: BlueprintDocument?) {
            let parent = Bool.random(using: &random) ? parents.randomElement(using: &random) : nil
            let own = try #require((parent == nil ? wholes : layers).randomElement(using: &random)).document
            var stack = LayerStack(own)
            for _ in 0..<Int.random(in: 0...2, using: &random) {
                let layer = try #require(layers.randomElement(using: &random)).document
                if !stack.layers.contains(layer) { stack.layers.insert(layer, at: 0) }
            }
            return (stack, parent)
        }
    }

    private static func composed(_ stack: (layers: LayerStack, parent: BlueprintDocument?)) -> BlueprintDocument {
        var whole = stack.layers.composed
        if let parent = stack.parent { whole = Composition.compose(whole, over: parent.value) }
        let (value, removals) = Composition.strippedWithRemovals(whole)
        return BlueprintDocument(value: value, removals: removals)
    }

    @Test func provenanceNamesAPlaceWhereTheValueStands() throws {
        let seed: UInt64 = 20_264
        var pool = try Pool(seed: seed, count: 150)
        let places = pool.places
        var compared = 0
        for round in 0..<Self.cases {
            for found in Self.composed(try pool.stack()).explain("") {
                compared += 1
                let problem = try Self.problem(of: found, in: places)
                guard let problem else { continue }
                Issue.record("seed \(seed), round \(round): \(problem): \(found)")
                return
            }
        }
        #expect(compared > 10 * Self.cases)
    }

    private static func problem(of found: Explanation, in places: [String: Places]) throws -> String? {
        guard let file = places[found.file] else { return "there is no such file" }
        if found.removal != nil {
            guard file.isRemoval(found.line, found.column) else { return "no removal stands there" }
        } else if found.layer == nil, !found.value.hasPrefix("(secret)") {
            guard file.says(found.value, found.line, found.column) else { return "the value does not stand there" }
        }
        for old in found.overridden {
            guard let file = places[old.file] else { return "there is no file of an overridden value" }
            let stands =
                switch old.kind {
                case .removal: file.isRemoval(old.line, old.column)
                case .container: file.hasContainer(old.line, old.column)
                case .value:
                    old.layer != nil || old.value == "(secret)" || file.says(old.value, old.line, old.column)
                }
            guard stands else { return "the overridden value does not stand there: \(old)" }
        }
        return nil
    }

    @Test func theWinnerIsTheUppermostThatSaysSomething() throws {
        let seed: UInt64 = 20_265
        var pool = try Pool(seed: seed, count: 150)
        for round in 0..<Self.cases {
            let stack = try pool.stack()
            let values = Self.composed(stack).value
            for (path, value) in values.scalars {
                // A layer's own name is nobody else's.
                let layers = path == ["name"] ? stack.layers.layers.suffix(1) : stack.layers.layers[...]
                let winner = layers.last { $0.value.value(at: path) != nil }?.value.location.file.name
                // What no layer says is the parent's.
                guard let winner, winner != value.location.file.name else { continue }
                Issue.record(
                    "seed \(seed), round \(round): \(path) is said by \(winner), not \(value.location.file.name)")
                return
            }
        }
    }

    // MARK: Rendering

    @Test func whatIsRenderedReadsTheSame() throws {
        let seed: UInt64 = 20_266
        var pool = try Pool(seed: seed, count: 150, density: 30)
        var round = 0
        while round < Self.cases {
            let stack = try pool.stack()
            let checked = Blueprint.check(
                stack.layers, over: stack.parent, mode: stack.parent == nil ? nil : .overlay)
            guard let spec = checked.spec else { continue }
            round += 1
            let folder = round % 3 == 0 ? nil : "/f"
            let text = checked.rendered(in: folder, showsProvenance: round % 2 == 0)
            let again = Run(text, mode: spec.routing.mode == .overlay ? .overlay : nil, folder: folder ?? "/elsewhere")
            guard again.spec == spec.withoutLiteralSecrets else {
                Issue.record(
                    "seed \(seed), round \(round): \(again.diagnostics.map(\.rendered))\n\(text)")
                return
            }
        }
    }
}

/// What stands where in one file, as it was written.
struct Places {
    private var values: [[Int]: [LocatedValue]] = [:]
    private var keys: [[Int]: (key: String, value: LocatedValue)] = [:]

    init(of text: String) throws {
        let reader = BlueprintReader(file: SourceFile(name: "", folder: "/"))
        collect(try #require(reader.read(Array(text.utf8)).value))
    }

    private mutating func collect(_ value: LocatedValue) {
        values[[value.location.line, value.location.column], default: []].append(value)
        for item in value.items { collect(item) }
        for entry in value.entries {
            keys[[entry.location.line, entry.location.column]] = (entry.key, entry.value)
            collect(entry.value)
        }
    }

    /// A scalar or plain list there, the number within a port that is written as text, or a service's name as a key.
    func says(_ shown: String, _ line: Int, _ column: Int) -> Bool {
        if keys[[line, column]]?.key == shown { return true }
        // What is left of a map or list where everything is removed.
        if shown == "{}" || shown == "[]", hasContainer(line, column) { return true }
        return (values[[line, column]] ?? []).contains { value in
            if value.shown == shown { return true }
            return value.text?.split { ":/".contains($0) }.contains { $0 == shown } ?? false
        }
    }

    func isRemoval(_ line: Int, _ column: Int) -> Bool {
        let there = (values[[line, column]] ?? []) + (keys[[line, column]].map { [$0.value] } ?? [])
        return there.contains { $0.isNull || $0.isRemoval }
    }

    func hasContainer(_ line: Int, _ column: Int) -> Bool {
        if let value = keys[[line, column]]?.value, !value.entries.isEmpty || value.content == .mapping([]) {
            return true
        }
        return (values[[line, column]] ?? []).contains { value in
            switch value.content {
            case .mapping, .sequence: true
            // A port as text.
            case .scalar: value.text?.first?.isNumber ?? false
            case .null: false
            }
        }
    }
}

extension LocatedValue {
    /// Without what was overridden, and where.
    var withoutHistory: LocatedValue {
        var value = self
        value.overrode = []
        switch value.content {
        case .null, .scalar: break
        case .sequence(let items): value.content = .sequence(items.map(\.withoutHistory))
        case .mapping(let entries):
            value.content = .mapping(
                entries.map { .init(key: $0.key, location: $0.location, value: $0.value.withoutHistory) })
        }
        return value
    }

    /// Every scalar with its path, but those of lists without names.
    var scalars: [(path: [String], value: LocatedValue)] {
        switch content {
        case .null: []
        case .scalar: [([], self)]
        case .mapping(let entries):
            entries.flatMap { entry in entry.value.scalars.map { ([entry.key] + $0.path, $0.value) } }
        case .sequence(let items):
            items.flatMap { item in
                item.name.map { name in item.scalars.map { ([name] + $0.path, $0.value) } } ?? []
            }
        }
    }
}

extension BlueprintSpec {
    /// As a rendered text, which does not show them, has them.
    var withoutLiteralSecrets: BlueprintSpec {
        var spec = self
        for service in spec.services.indices {
            for index in spec.services[service].secrets.indices {
                if case .literal = spec.services[service].secrets[index].source {
                    spec.services[service].secrets[index].source = .literal("(secret)")
                }
            }
            for index in spec.services[service].initialisers.indices {
                if case .sql(var sql) = spec.services[service].initialisers[index], let password = sql.password {
                    sql.password = password.hasPrefix("${") ? password : "(secret)"
                    spec.services[service].initialisers[index] = .sql(sql)
                }
            }
        }
        return spec
    }
}
