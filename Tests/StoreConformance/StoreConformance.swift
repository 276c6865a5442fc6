import Storage

/// What every driver of the `Store` port must do, whatever it is made of.
///
/// A driver's tests run every case against an empty store of its own:
/// ```swift
/// @Test(arguments: StoreConformance.cases) func conforms(_ rule: StoreRule) async throws {
///     try await rule.check(emptyStore)
/// }
/// ```
/// The cases use nothing but the protocol, and throw ``RuleBroken`` where it is not kept.
package enum StoreConformance {
    package static let cases: [StoreRule] =
        environments + layers + executions + resources + history + transactions
}

package struct StoreRule: Sendable, CustomStringConvertible {
    package let name: String
    package let check: @Sendable (any Store) async throws -> Void

    package init(_ name: String, _ check: @escaping @Sendable (any Store) async throws -> Void) {
        self.name = name
        self.check = check
    }

    package var description: String { name }
}

/// A driver does not do what the port promises.
package struct RuleBroken: Error, CustomStringConvertible {
    package let description: String
}

func expect<T: Equatable>(
    _ found: T, is wanted: T, _ what: String, file: String = #fileID, line: Int = #line
) throws {
    guard found != wanted else { return }
    throw RuleBroken(description: "\(file):\(line): \(what): found \(found), wanted \(wanted)")
}

/// - Parameter code: what the store must refuse `change` with.
func expect(
    _ code: StoreError.Code, file: String = #fileID, line: Int = #line, _ change: () throws -> Void
) throws {
    do {
        try change()
    } catch let error as StoreError where error.code == code {
        return
    }
    throw RuleBroken(description: "\(file):\(line): was done, and should have been refused as \(code)")
}
