/// Body of `PATCH /v1/environments/{id}`.
package struct PatchRequest: Codable, Sendable, Hashable {
    /// When it is deleted by itself. An end is only ever put off: one that is later already stays.
    package struct Expiry: Codable, Sendable, Hashable {
        /// From now on.
        package var ttlMilliseconds: Int64?
        /// RFC 3339.
        package var until: String?
        /// `true`: it is kept until somebody deletes it.
        package var never: Bool?

        /// One of them, or none for the ttl of its Blueprint, from now on.
        package init(ttlMilliseconds: Int64? = nil, until: String? = nil, never: Bool? = nil) {
            self.ttlMilliseconds = ttlMilliseconds
            self.until = until
            self.never = never
        }
    }

    package var expiry: Expiry?
    /// Whether nobody may delete it, nor its own expiry.
    package var protected: Bool?
    package var dryRun: Bool

    package init(expiry: Expiry? = nil, protected: Bool? = nil, dryRun: Bool = false) {
        self.expiry = expiry
        self.protected = protected
        self.dryRun = dryRun
    }
}

extension PatchRequest {
    private enum CodingKeys: String, CodingKey, CaseIterable {
        case expiry, protected, dryRun
    }

    /// Everything may be absent; a key that does not exist is refused.
    package init(from decoder: any Decoder) throws {
        try decoder.refuseKeys(except: CodingKeys.allCases.map(\.rawValue))
        let body = try decoder.container(keyedBy: CodingKeys.self)
        self.init(
            expiry: try body.decodeIfPresent(Expiry.self, forKey: .expiry),
            protected: try body.decodeIfPresent(Bool.self, forKey: .protected),
            dryRun: try body.decodeIfPresent(Bool.self, forKey: .dryRun) ?? false)
    }
}

extension PatchRequest.Expiry {
    private enum CodingKeys: String, CodingKey, CaseIterable {
        case ttlMilliseconds, until, never
    }

    package init(from decoder: any Decoder) throws {
        try decoder.refuseKeys(except: CodingKeys.allCases.map(\.rawValue))
        let body = try decoder.container(keyedBy: CodingKeys.self)
        self.init(
            ttlMilliseconds: try body.decodeIfPresent(Int64.self, forKey: .ttlMilliseconds),
            until: try body.decodeIfPresent(String.self, forKey: .until),
            never: try body.decodeIfPresent(Bool.self, forKey: .never))
    }
}

/// Something that happened to an environment: one item of `GET /v1/environments/{id}/history`.
package struct HistoryView: Codable, Sendable, Hashable {
    /// Grows over all environments; what `after` takes.
    package var sequence: Int64
    package var time: String
    /// The environment's id, and its name then.
    package var environment: String
    package var name: String
    /// `state`, `executionStarted`, `executionEnded`, `changed`, `warning`, `deviationFound` or `deviationMended`.
    package var kind: String
    package var service: String?
    /// Who caused it: `owner`, a token's name, or `microstax` itself.
    package var actor: String?
    package var message: String

    package init(
        sequence: Int64, time: String, environment: String, name: String, kind: String, service: String? = nil,
        actor: String? = nil, message: String
    ) {
        self.sequence = sequence
        self.time = time
        self.environment = environment
        self.name = name
        self.kind = kind
        self.service = service
        self.actor = actor
        self.message = message
    }
}
