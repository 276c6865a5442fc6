/// Body of `POST /v1/environments/{id}/restart`.
package struct RestartRequest: Codable, Sendable, Hashable {
    /// Of its own; empty for all of them.
    package var services: [String]
    package var dryRun: Bool

    package init(services: [String] = [], dryRun: Bool = false) {
        self.services = services
        self.dryRun = dryRun
    }

    private enum CodingKeys: String, CodingKey, CaseIterable {
        case services, dryRun
    }

    /// A key that does not exist is refused.
    package init(from decoder: any Decoder) throws {
        try decoder.refuseKeys(except: CodingKeys.allCases.map(\.rawValue))
        let body = try decoder.container(keyedBy: CodingKeys.self)
        self.init(
            services: try body.decodeIfPresent([String].self, forKey: .services) ?? [],
            dryRun: try body.decodeIfPresent(Bool.self, forKey: .dryRun) ?? false)
    }
}

/// What is observed differed from what is wanted, without an execution that explains it: one item of
/// `GET /v1/environments/{id}/deviations`.
package struct DeviationView: Codable, Sendable, Hashable {
    /// The environment's id, and its name; of an orphan the id twice.
    package var environment: String
    package var name: String
    package var service: String?
    /// `processEnded`, `crashLoop`, `workloadMissing`, `workloadChanged`, `workloadUnexpected`, `volumeMissing`,
    /// `fileChanged` or `orphan`.
    package var kind: String
    /// `open`, `mended` by the platform, or `gone` by itself.
    package var state: String
    package var message: String
    /// What was done about it, or what a person can do.
    package var remedy: String?
    /// How often it was found anew.
    package var count: Int
    package var firstSeenAt: String
    package var lastSeenAt: String

    package init(
        environment: String, name: String, service: String?, kind: String, state: String, message: String,
        remedy: String?, count: Int, firstSeenAt: String, lastSeenAt: String
    ) {
        self.environment = environment
        self.name = name
        self.service = service
        self.kind = kind
        self.state = state
        self.message = message
        self.remedy = remedy
        self.count = count
        self.firstSeenAt = firstSeenAt
        self.lastSeenAt = lastSeenAt
    }
}
