/// Compares schemas pair by pair, in one direction each. Pairs wait in a list instead of on the stack, and none is looked
/// at twice, so that recursive schemas end and long chains of them do not run out of stack.
struct SchemaComparison {
    struct Pair: Hashable {
        var old: Int
        var new: Int
        var isRequest: Bool
    }

    /// A way from an operation to a part of a schema; told only where there is something to tell.
    struct Step {
        var parent: Int
        /// Of the JSON pointer: `properties/total`.
        var pointer: String
        /// For a person: `.total`, `[]`.
        var shown: String
    }

    /// Answers of ``isCompatible(_:)``, shared by the comparisons inside of one comparison.
    private final class Matches {
        struct Question: Hashable {
            var pair: Pair
            var nesting: Int
        }

        var known: [Question: Bool] = [:]
    }

    let old: SchemaStore
    let new: SchemaStore
    let files: (old: String, new: String)
    private(set) var changes: [ContractChange] = []
    private(set) var isComplete = true

    private var steps: [Step] = []
    private var seen: Set<Pair> = []
    var open: [(pair: Pair, step: Int)] = []
    /// Comparisons inside of comparisons, to find which alternatives belong together.
    private let nesting: Int
    private let matches: Matches
    /// Pairs that may still be looked at.
    private var budget: Int

    init(old: SchemaStore, new: SchemaStore, files: (old: String, new: String)) {
        self.init(old: old, new: new, files: files, matches: Matches(), nesting: 0, budget: ContractLimits.pairs)
    }

    private init(
        old: SchemaStore, new: SchemaStore, files: (old: String, new: String), matches: Matches, nesting: Int,
        budget: Int
    ) {
        self.old = old
        self.new = new
        self.files = files
        self.matches = matches
        self.nesting = nesting
        self.budget = budget
    }

    /// - Parameters:
    ///   - shown: where the schema is used, for a person: `GET /orders: response 200`.
    ///   - spots: of what stands there where a schema is missing.
    mutating func compare(
        _ before: Node?, _ after: Node?, isRequest: Bool, pointer: String, shown: String, spots: (old: Spot, new: Spot)
    ) {
        if before == nil, after == nil { return }
        let pair = Pair(
            old: old.shape(of: before.map { [$0] } ?? [], at: spots.old),
            new: new.shape(of: after.map { [$0] } ?? [], at: spots.new), isRequest: isRequest)
        steps.append(Step(parent: -1, pointer: pointer, shown: shown))
        open.append((pair, steps.count - 1))
        drain()
    }

    private mutating func drain() {
        // First come, first looked at: what is reached in several ways is told at the shortest.
        var next = 0
        defer { open = [] }
        while next < open.count {
            let (pair, step) = open[next]
            next += 1
            guard seen.insert(pair).inserted else { continue }
            guard budget > 0, changes.count < ContractLimits.changes else {
                isComplete = false
                return
            }
            budget -= 1
            look(at: pair, step: step)
        }
    }

    private mutating func look(at pair: Pair, step: Int) {
        let before = old.shapes[pair.old]
        let after = new.shapes[pair.new]
        if Set(before.outside) != Set(after.outside) {
            report(
                .referenceChanged, step,
                "refers to `\(after.outside.joined(separator: "`, `"))` instead of"
                    + " `\(before.outside.joined(separator: "`, `"))`", before.spot, after.spot)
        }
        // Alternatives say their types themselves.
        let isMixed = before.groups.isEmpty != after.groups.isEmpty
        let isOpen = before.groups.isEmpty ? after.types == .any : before.types == .any
        if !isMixed || !isOpen {
            guard compareTypes(before, after, pair, step) else { return }
        }
        compareNull(before, after, pair, step)
        switch (before.groups.isEmpty, after.groups.isEmpty) {
        case (true, true): compareParts(before, after, pair, step)
        case (false, false):
            compareParts(before, after, pair, step)
            for (one, other) in zip(before.groups, after.groups) {
                compareAlternatives(one, other, pair, step)
            }
        case (true, false): compareAlternatives(nil, after.groups[0], pair, step)
        case (false, true): compareAlternatives(before.groups[0], nil, pair, step)
        }
    }

    private mutating func compareParts(_ before: SchemaShape, _ after: SchemaShape, _ pair: Pair, _ step: Int) {
        compareFormats(before, after, pair, step)
        compareValues(before, after, pair, step)
        compareLimits(before, after, pair, step)
        compareProperties(before, after, pair, step)
        if !before.items.isEmpty || !after.items.isEmpty {
            follow(before.items, after.items, pair, step, "items", "[]", (before.spot, after.spot))
        }
    }

    mutating func follow(
        _ before: [Node], _ after: [Node], _ pair: Pair, _ step: Int, _ pointer: String, _ shown: String,
        _ spots: (Spot, Spot)
    ) {
        let next = Pair(
            old: old.shape(of: before, at: spots.0), new: new.shape(of: after, at: spots.1), isRequest: pair.isRequest)
        guard !seen.contains(next) else { return }
        steps.append(Step(parent: step, pointer: pointer, shown: shown))
        open.append((next, steps.count - 1))
    }

    /// Whether the pair would give no error, found without telling anything. Only says which alternatives belong
    /// together, which are then compared for good; so where it would lead too far, the answer is yes.
    mutating func isCompatible(_ pair: Pair) -> Bool {
        guard nesting < 4 else { return true }
        let question = Matches.Question(pair: pair, nesting: nesting)
        if let known = matches.known[question] { return known }
        let share = min(budget, ContractLimits.pairs / 100)
        var inner = SchemaComparison(
            old: old, new: new, files: files, matches: matches, nesting: nesting + 1, budget: share)
        inner.steps.append(Step(parent: -1, pointer: "", shown: ""))
        inner.open.append((pair, 0))
        inner.drain()
        budget -= share - inner.budget
        let answer = !inner.changes.contains { $0.severity == .error }
        matches.known[question] = answer
        return answer
    }

    mutating func report(
        _ rule: ContractRule, severity: ContractChange.Severity? = nil, _ step: Int, adding token: String = "",
        _ message: String, _ theirs: Spot, _ mine: Spot
    ) {
        guard changes.count < ContractLimits.changes else { return }
        let way = way(to: step)
        let pointer = token.isEmpty ? way.pointer : way.pointer + "/" + token
        let place = way.inside.isEmpty ? way.root : "\(way.root), `\(way.inside)`"
        changes.append(
            ContractChange(
                rule: rule, severity: severity, path: pointer, message: "\(place): \(message)",
                mine: mine.place(in: files.new), theirs: theirs.place(in: files.old)))
    }

    private func way(to step: Int) -> (root: String, inside: String, pointer: String) {
        var pointers: [String] = []
        var inside: [String] = []
        var current = step
        while steps[current].parent >= 0 {
            pointers.append(steps[current].pointer)
            inside.append(steps[current].shown)
            current = steps[current].parent
        }
        let text = inside.reversed().joined()
        return (
            steps[current].shown, shortened(text.hasPrefix(".") ? String(text.dropFirst()) : text),
            ([steps[current].pointer] + pointers.reversed()).joined(separator: "/")
        )
    }
}
