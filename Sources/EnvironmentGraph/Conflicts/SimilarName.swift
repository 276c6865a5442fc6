import Blueprints

/// Names that a person may take for each other: `payment` and `payments`, `order_db` and `orders-db`. Not those that differ in
/// a number, which are numbered on purpose.
enum SimilarName {
    /// The nearest of them that is not the same; `nil` where none is near.
    static func of(_ name: String, among names: [String]) -> String? {
        let others = names.filter { other in
            let lengths = [name.utf8.count, other.utf8.count]
            // Of a short name nearly everything short is near.
            guard other != name, (lengths.min() ?? 0) >= 4, abs(lengths[0] - lengths[1]) <= 2 else { return false }
            return name.filter(\.isNumber) == other.filter(\.isNumber)
        }
        guard let near = NearMiss.nearest(name, among: others) else { return nil }
        return NearMiss.editDistance(name, near) <= (min(name.utf8.count, near.utf8.count) >= 8 ? 2 : 1) ? near : nil
    }
}
