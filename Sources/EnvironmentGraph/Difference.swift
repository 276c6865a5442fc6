import Blueprints

/// How an environment differs from its parent, service by service, and why.
package struct Difference: Sendable, Hashable, Codable {
    package struct Entry: Sendable, Hashable, Codable {
        package var service: String
        package var kind: Kind
        /// For a person: `command`, `env.RATE`, or `follows orders-db`.
        package var reasons: [String]

        package init(service: String, kind: Kind, reasons: [String] = []) {
            self.service = service
            self.kind = kind
            self.reasons = reasons
        }
    }

    package enum Kind: String, Sendable, Hashable, Codable {
        case added, changed, removed, inherited
        /// Unchanged, but reaches a changed service over TCP, which cannot be routed per request.
        case follows
    }

    /// Sorted by service; one for every service of either side.
    package var entries: [Entry]

    package init(entries: [Entry]) {
        self.entries = entries.sorted { $0.service < $1.service }
    }

    package func isLocal(_ service: String) -> Bool {
        entries.contains { $0.service == service && [.added, .changed, .follows].contains($0.kind) }
    }

    /// The services that the environment runs itself.
    package var localNames: [String] { entries.map(\.service).filter(isLocal) }

    package var removed: [String] { entries.filter { $0.kind == .removed }.map(\.service) }
}
