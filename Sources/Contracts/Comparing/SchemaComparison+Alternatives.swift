extension SchemaComparison {
    private struct Alternative {
        var node: Node
        /// What the document calls it; `nil` where it says nothing.
        var name: String?
        var index: Int
        var spot: Spot
    }

    /// A schema without alternatives, given as `nil`, is compared as its only one.
    ///
    /// Which belong together is said by names (of references, titles, constant values of a discriminator), else found by
    /// comparing. A request may gain alternatives, an answer may lose them.
    mutating func compareAlternatives(
        _ before: SchemaShape.Group?, _ after: SchemaShape.Group?, _ pair: Pair, _ step: Int
    ) {
        let beforeSpot = before?.spot ?? old.shapes[pair.old].spot
        let afterSpot = after?.spot ?? new.shapes[pair.new].spot
        guard let before else {
            return compareOne(after, isOld: true, pair, step, beforeSpot, afterSpot)
        }
        guard let after else {
            return compareOne(before, isOld: false, pair, step, beforeSpot, afterSpot)
        }
        var theirs = alternatives(before)
        var mine = alternatives(after)
        var matched: [(Alternative, Alternative)] = []
        for (position, one) in theirs.enumerated().reversed() {
            guard let name = one.name, let other = mine.firstIndex(where: { $0.name == name }) else { continue }
            matched.append((one, mine.remove(at: other)))
            theirs.remove(at: position)
        }
        if theirs.count <= ContractLimits.alternatives, mine.count <= ContractLimits.alternatives {
            for (position, one) in theirs.enumerated().reversed() {
                // Mostly they stand where they stood.
                let same = mine.indices.filter { mine[$0].index == one.index }
                let other = (same + mine.indices.filter { mine[$0].index != one.index }).first { place in
                    isCompatible(self.pair(one.node, mine[place].node, pair.isRequest))
                }
                guard let other else { continue }
                matched.append((one, mine.remove(at: other)))
                theirs.remove(at: position)
            }
        }
        // One left on both sides is one that changed.
        if theirs.count == mine.count, theirs.allSatisfy({ $0.name == nil }), mine.allSatisfy({ $0.name == nil }) {
            matched += zip(theirs, mine)
            theirs = []
            mine = []
        }
        for (one, other) in matched {
            follow([one.node], [other.node], pair, step, "\(before.keyword)/\(one.index)", "", (one.spot, other.spot))
        }
        if pair.isRequest {
            for one in theirs { lost(one, before.keyword, step, afterSpot) }
        } else {
            for one in mine { gained(one, step, beforeSpot) }
        }
    }

    /// One side has alternatives, the other is a schema as it stands.
    private mutating func compareOne(
        _ group: SchemaShape.Group?, isOld: Bool, _ pair: Pair, _ step: Int, _ beforeSpot: Spot, _ afterSpot: Spot
    ) {
        guard let group else { return }
        let plain = isOld ? old.shapes[pair.old] : new.shapes[pair.new]
        // Of anything, a choice is a part; compared as types are.
        if plain.types == .any, plain.properties.isEmpty {
            if isOld == pair.isRequest {
                report(
                    pair.isRequest ? .requestTypeChanged : .responseTypeChanged, step,
                    isOld ? "was anything and is now one of several" : "was one of several and is now anything",
                    beforeSpot, afterSpot)
            }
            return
        }
        let all = alternatives(group)
        let fitting = all.prefix(ContractLimits.alternatives).first { alternative in
            let number =
                isOld
                ? new.shape(of: [alternative.node], at: afterSpot) : old.shape(of: [alternative.node], at: beforeSpot)
            return isCompatible(
                Pair(
                    old: isOld ? pair.old : number, new: isOld ? number : pair.new, isRequest: pair.isRequest))
        }
        if isOld, pair.isRequest, fitting == nil {
            report(
                .requestAlternativeRemoved, step, "what was accepted is none of the alternatives", beforeSpot, afterSpot
            )
        }
        if isOld, !pair.isRequest {
            for alternative in all where alternative.index != fitting?.index { gained(alternative, step, beforeSpot) }
        }
        if !isOld, pair.isRequest {
            for alternative in all where alternative.index != fitting?.index {
                lost(alternative, group.keyword, step, afterSpot)
            }
        }
        if !isOld, !pair.isRequest, fitting == nil {
            report(
                .responseAlternativeAdded, step, "what is sent is none of the old alternatives", beforeSpot, afterSpot)
        }
    }

    private mutating func lost(_ alternative: Alternative, _ keyword: String, _ step: Int, _ afterSpot: Spot) {
        report(
            .requestAlternativeRemoved, step, adding: "\(keyword)/\(alternative.index)",
            "\(shown(alternative)) is no longer accepted", alternative.spot, afterSpot)
    }

    private mutating func gained(_ alternative: Alternative, _ step: Int, _ beforeSpot: Spot) {
        report(.responseAlternativeAdded, step, "\(shown(alternative)) may now be sent", beforeSpot, alternative.spot)
    }

    private func pair(_ one: Node, _ other: Node, _ isRequest: Bool) -> Pair {
        Pair(
            old: old.shape(of: [one], at: one.spot), new: new.shape(of: [other], at: other.spot), isRequest: isRequest)
    }

    private func shown(_ alternative: Alternative) -> String {
        alternative.name.map { "the alternative `\(shortened($0))`" } ?? "an alternative"
    }

    private func alternatives(_ group: SchemaShape.Group) -> [Alternative] {
        zip(group.alternatives, group.indexes).map { node, index in
            let reference = node["$ref"]?.text.flatMap { $0.split(separator: "/").last }.map(String.init)
            return Alternative(node: node, name: reference ?? node["title"]?.text, index: index, spot: node.spot)
        }
    }
}
