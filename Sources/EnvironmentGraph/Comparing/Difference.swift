import Blueprints

/// How an environment differs from its parent, service by service, and why.
package struct Difference: Sendable, Hashable, Codable {
    package struct Entry: Sendable, Hashable, Codable {
        package var service: String
        package var kind: Kind
        /// For a person: `command`, `env.RATE`, or `follows orders-db`.
        package var reasons: [String]
        /// `nil` for none, as in what was stored before they were kept.
        private var fields: [FieldChange]?

        /// Of a changed service: every field with its old and its new value, sorted by path.
        package var changes: [FieldChange] { fields ?? [] }

        package init(service: String, kind: Kind, reasons: [String] = [], changes: [FieldChange] = []) {
            self.service = service
            self.kind = kind
            self.reasons = reasons
            fields = changes.isEmpty ? nil : changes
        }
    }

    package enum Kind: String, Sendable, Hashable, Codable {
        case added, changed, removed, inherited
        /// Unchanged, but reaches a changed service over TCP, which cannot be routed per request.
        case follows
        /// Unchanged, but known to forward no context, and it calls what is local: its own copy is known by its address.
        case carried

        /// Whether the environment runs a copy of its own.
        package var isLocal: Bool { [.added, .changed, .follows, .carried].contains(self) }
    }

    /// Sorted by service; one for every service of either side.
    package var entries: [Entry]

    package init(entries: [Entry]) {
        self.entries = entries.sorted { $0.service < $1.service }
    }

    package func isLocal(_ service: String) -> Bool { entry(of: service)?.kind.isLocal ?? false }

    package func entry(of service: String) -> Entry? { entries.first { $0.service == service } }

    /// The services that the environment runs itself.
    package var localNames: [String] { entries.filter(\.kind.isLocal).map(\.service) }

    package var removed: [String] { entries.filter { $0.kind == .removed }.map(\.service) }
}

extension [CallCount] {
    /// The services of a lineage that were seen to lose the context of a request that they answered, with how often: of the
    /// calls that they made while they answered one. One is enough: running a copy too many is a cost, one too few a test of
    /// the wrong code.
    package func forgetfulCallers(in lineage: Set<EnvironmentID>, root: EnvironmentID) -> [String: String] {
        var (lost, kept): ([String: UInt64], [String: UInt64]) = ([:], [:])
        for call in self where lineage.contains(call.callerEnvironment) && call.caller != "edge" {
            if call.leak != nil {
                lost[call.caller, default: 0] += call.count
            } else if let context = call.context, context != root {
                kept[call.caller, default: 0] += call.count
            }
        }
        return lost.reduce(into: [:]) { found, entry in
            found[entry.key] = "lost it in \(entry.value) of \(entry.value + (kept[entry.key] ?? 0)) calls"
        }
    }
}
