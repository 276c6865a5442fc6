/// One revision of an environment. Times are RFC 3339 in UTC.
package struct RevisionView: Codable, Sendable, Hashable {
    package var number: Int
    package var createdAt: String
    /// Who asked for it; absent where that was not kept yet.
    package var actor: String?
    /// Why, where it was no Blueprint: `rollback to revision 3`, `rebase onto shop#r14`.
    package var reason: String?
    package var isCurrent: Bool
    /// Of an overlay: what it stood on, `shop#r12`.
    package var parent: String?
    /// Against the revision before it; absent for the first.
    package var changes: SpecDifferenceView?

    package init(
        number: Int, createdAt: String, actor: String?, reason: String?, isCurrent: Bool, parent: String?,
        changes: SpecDifferenceView?
    ) {
        self.number = number
        self.createdAt = createdAt
        self.actor = actor
        self.reason = reason
        self.isCurrent = isCurrent
        self.parent = parent
        self.changes = changes
    }
}

/// How one spec differs from another, field by field.
package struct SpecDifferenceView: Codable, Sendable, Hashable {
    package struct Service: Codable, Sendable, Hashable {
        package var service: String
        /// `added`, `changed` or `removed`.
        package var kind: String
        /// Sorted by path.
        package var fields: [FieldChangeView]

        package init(service: String, kind: String, fields: [FieldChangeView]) {
            self.service = service
            self.kind = kind
            self.fields = fields
        }
    }

    /// Only those that differ, sorted by name.
    package var services: [Service]
    /// Of the environment itself: labels, routing, lifecycle.
    package var environment: [FieldChangeView]

    package var isEmpty: Bool { services.isEmpty && environment.isEmpty }

    package init(services: [Service], environment: [FieldChangeView]) {
        self.services = services
        self.environment = environment
    }
}

/// Body of `POST /v1/environments/{id}/rollback`.
package struct RollbackRequest: Codable, Sendable, Hashable {
    package var revision: Int
    package var allow: [String]
    package var dryRun: Bool

    package init(revision: Int, allow: [String] = [], dryRun: Bool = false) {
        self.revision = revision
        self.allow = allow
        self.dryRun = dryRun
    }
}

extension RollbackRequest {
    private enum CodingKeys: String, CodingKey, CaseIterable {
        case revision, allow, dryRun
    }

    /// A key that does not exist is refused.
    package init(from decoder: any Decoder) throws {
        try decoder.refuseKeys(except: CodingKeys.allCases.map(\.rawValue))
        let body = try decoder.container(keyedBy: CodingKeys.self)
        self.init(
            revision: try body.decode(Int.self, forKey: .revision),
            allow: try body.decodeIfPresent([String].self, forKey: .allow) ?? [],
            dryRun: try body.decodeIfPresent(Bool.self, forKey: .dryRun) ?? false)
    }
}

/// Body of `POST /v1/environments/{id}/rebase`; may be absent.
package struct RebaseRequest: Codable, Sendable, Hashable {
    /// Where both sides changed a field, what the overlay says stays.
    package var keepMine: Bool
    package var allow: [String]
    package var dryRun: Bool

    package init(keepMine: Bool = false, allow: [String] = [], dryRun: Bool = false) {
        self.keepMine = keepMine
        self.allow = allow
        self.dryRun = dryRun
    }
}

extension RebaseRequest {
    private enum CodingKeys: String, CodingKey, CaseIterable {
        case keepMine, allow, dryRun
    }

    /// Everything may be absent; a key that does not exist is refused.
    package init(from decoder: any Decoder) throws {
        try decoder.refuseKeys(except: CodingKeys.allCases.map(\.rawValue))
        let body = try decoder.container(keyedBy: CodingKeys.self)
        self.init(
            keepMine: try body.decodeIfPresent(Bool.self, forKey: .keepMine) ?? false,
            allow: try body.decodeIfPresent([String].self, forKey: .allow) ?? [],
            dryRun: try body.decodeIfPresent(Bool.self, forKey: .dryRun) ?? false)
    }
}
