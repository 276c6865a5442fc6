/// `env-` and 10 base32 characters (RFC 4648, lower case).
package struct EnvironmentID: Sendable, Hashable, Codable, RawRepresentable, Comparable, CustomStringConvertible {
    package let rawValue: String
    package init(rawValue: String) { self.rawValue = rawValue }
    package var description: String { rawValue }
    package static func < (a: Self, b: Self) -> Bool { a.rawValue < b.rawValue }
}

/// `exe-` and 10 base32 characters.
package struct ExecutionID: Sendable, Hashable, Codable, RawRepresentable, Comparable, CustomStringConvertible {
    package let rawValue: String
    package init(rawValue: String) { self.rawValue = rawValue }
    package var description: String { rawValue }
    package static func < (a: Self, b: Self) -> Bool { a.rawValue < b.rawValue }
}
