/// A three-way comparison: what an overlay made of its parent's old revision, brought onto the parent's new one.
///
/// What only one side changed is taken, what both changed alike is taken, and what both changed differently is a collision,
/// field by field. A field that is a list as a whole (`dependsOn`, `init`) counts as one.
package struct Rebase: Sendable, Hashable {
    package struct Collision: Sendable, Hashable {
        package var service: String
        /// `nil` where the whole service is there on one side only.
        package var path: String?
        /// In the parent's old revision, in the overlay, and in the parent's new revision; `nil` where it is not there.
        package var base: String?
        package var mine: String?
        package var theirs: String?

        /// One line for a person; what must not be shown is not.
        package var written: String {
            guard let path else {
                return mine == nil
                    ? "\(service) is removed here and changed in the parent"
                    : "\(service) is changed here and removed in the parent"
            }
            if base == nil, mine == nil, theirs == nil {
                return "\(service) \(path) was changed here and in the parent"
            }
            let isHidden = ServiceFields.isHidden(path)
            func shown(_ value: String?) -> String { value.map { isHidden ? "(secret)" : $0 } ?? "(none)" }
            return "\(service) \(path) was \(shown(base)), is \(shown(mine)) here and \(shown(theirs)) in the parent"
        }
    }

    /// What becomes of the services; on a collision, what the overlay says.
    package private(set) var merged: [String: ServiceFields] = [:]
    /// By service and path.
    package private(set) var collisions: [Collision] = []

    package init(
        base: [String: ServiceFields], mine: [String: ServiceFields], theirs: [String: ServiceFields]
    ) {
        for name in Set(base.keys).union(mine.keys).union(theirs.keys).sorted() {
            merge(name, base[name], mine[name], theirs[name])
        }
    }

    private mutating func merge(
        _ name: String, _ base: ServiceFields?, _ mine: ServiceFields?, _ theirs: ServiceFields?
    ) {
        switch (base, mine, theirs) {
        case (_, let mine?, let theirs?): merged[name] = merge(name, base ?? ServiceFields(), mine, theirs)
        // Removed here: what the parent does to it plays no part.
        case (.some, nil, _): break
        case (let base?, let mine?, nil):
            guard base != mine else { return }
            merged[name] = mine
            collisions.append(Collision(service: name, path: nil, base: "there", mine: "there", theirs: nil))
        case (nil, let mine?, nil): merged[name] = mine
        case (nil, nil, let theirs?): merged[name] = theirs
        case (nil, nil, nil): break
        }
    }

    private mutating func merge(
        _ name: String, _ base: ServiceFields, _ mine: ServiceFields, _ theirs: ServiceFields
    ) -> ServiceFields {
        var result = ServiceFields()
        let units = Dictionary(
            grouping: Set(base.values.keys).union(mine.values.keys).union(theirs.values.keys).sorted(), by: Self.unit)
        for (unit, paths) in units.sorted(by: { $0.key < $1.key }) {
            if unit == "ports" { continue }
            func part(_ side: ServiceFields) -> [String?] { paths.map { side[$0] } }
            let chosen = part(mine) == part(base) ? theirs : mine
            for path in paths { result[path] = chosen[path] }
            guard part(mine) != part(base), part(theirs) != part(base), part(mine) != part(theirs) else { continue }
            // Of a list as a whole no value is shown: what is in it may be a password.
            let values = unit == paths[0] ? (base[unit], mine[unit], theirs[unit]) : (nil, nil, nil)
            collisions.append(
                Collision(service: name, path: unit, base: values.0, mine: values.1, theirs: values.2))
        }
        result["ports"] = Self.portOrder(base, mine, theirs, result)
        return result
    }

    /// What is decided as one: a list that is replaced as a whole, else a single field.
    private static func unit(_ path: String) -> String {
        for list in ["dependsOn", "init"] where path.hasPrefix(list + ".") { return list }
        return path
    }

    /// The order of the side that changed it; where both did, the parent's ports come first, as composing puts them.
    private static func portOrder(
        _ base: ServiceFields, _ mine: ServiceFields, _ theirs: ServiceFields, _ result: ServiceFields
    ) -> String? {
        let left = Set(result.portNames)
        let isMine = theirs.orderedPorts == base.orderedPorts
        let (first, second) =
            isMine ? (mine.orderedPorts, theirs.orderedPorts) : (theirs.orderedPorts, mine.orderedPorts)
        let kept = (first + second.filter { !first.contains($0) }).filter(left.contains)
        return kept.count > 1 ? ServiceFields.portOrder(kept) : nil
    }
}

extension ServiceFields {
    /// By their protocols, which every port has; sorted.
    fileprivate var portNames: [String] {
        values.keys.filter { $0.hasPrefix("ports.") && $0.hasSuffix(".protocol") }
            .map { String($0.dropFirst(6).dropLast(9)) }.sorted()
    }

    fileprivate var orderedPorts: [String] {
        guard let order = self["ports"] else { return portNames }
        // Names of ports are labels: nothing in them is quoted.
        return order.dropFirst().dropLast().split(separator: ",").map { $0.filter { $0 != " " } }
    }

    fileprivate static func portOrder(_ names: [String]) -> String { "[" + names.joined(separator: ", ") + "]" }
}
