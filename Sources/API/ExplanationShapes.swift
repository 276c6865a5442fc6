/// Where a value of the composed Blueprint comes from, or what took it away.
package struct ExplanationView: Codable, Sendable, Hashable {
    /// What stood at the same place in a lower layer.
    package struct Overridden: Codable, Sendable, Hashable {
        /// Absent for a whole map or list, and for a removal.
        package var value: String?
        package var layer: String?
        package var file: String
        package var line: Int
        package var column: Int
        /// `true` where it was removed there in turn.
        package var removed: Bool?

        package init(
            value: String?, layer: String?, file: String, line: Int, column: Int, removed: Bool? = nil
        ) {
            self.value = value
            self.layer = layer
            self.file = file
            self.line = line
            self.column = column
            self.removed = removed
        }
    }

    package var path: String
    /// Absent where it is removed.
    package var value: String?
    /// `org@3` for a registered layer, `shop#r12` for a parent environment, `default`, or `well-known`; absent for the
    /// person's own file and those that it extends by path.
    package var layer: String?
    /// Of a value that was filled in: what it was filled in for, if anything.
    package var file: String?
    package var line: Int?
    package var column: Int?
    /// Why it was filled in.
    package var reason: String?
    /// `null` for a field, `remove` for a named thing, where it is removed.
    package var removed: String?
    /// What this value replaced, latest first.
    package var overridden: [Overridden]

    package init(
        path: String, value: String?, layer: String? = nil, file: String? = nil, line: Int? = nil, column: Int? = nil,
        reason: String? = nil, removed: String? = nil, overridden: [Overridden] = []
    ) {
        self.path = path
        self.value = value
        self.layer = layer
        self.file = file
        self.line = line
        self.column = column
        self.reason = reason
        self.removed = removed
        self.overridden = overridden
    }
}
